"""kill -9 at random moments under load: what was acknowledged is there, once."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from collector_process import CollectorProcess, wait_until
from faults.oracle import flushed, miscounted
from remembered_load import SPANS, RememberedLoad

KILLS = int(os.environ.get("SIGHTLINE_KILLS", "6"))
"""6 in the suite, beside the kills at chosen moments of test_stages; `make bench` asks for 300."""

CATCH_UP_S = 60 + 4 * KILLS
"""Each kill leaves a segment or two; a small one takes the store a second on a busy machine."""


@pytest.mark.timeout(120 + 24 * KILLS)
def test_acknowledged_spans_survive_kills_exactly_once(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """However often the collector is killed, each acknowledged request has all its spans, none twice."""
    random_moment = random.Random(11)
    with CollectorProcess(tmp_path / "data", "--segment-age-s", "0.3") as collector:
        load = RememberedLoad("")
        for _ in range(KILLS):
            collector.start()
            load.url = collector.otlp
            load.start()
            time.sleep(random_moment.uniform(0.05, 1.2))  # the random moment is what this test is about
            collector.kill()
            load.stop()
        collector.start()
        wait_until(lambda: flushed(collector), CATCH_UP_S)
        held = {
            r["trace_id"]: r["n"]
            for r in collector.ask("select trace_id, count() as n from spans group by trace_id")
        }
        record_property("acknowledged spans", len(load.acknowledged) * SPANS)
        record_property("stored spans", sum(held.values()))
        record_property("lost spans", sum(max(0, SPANS - held.get(t, 0)) for t in load.acknowledged))
        record_property("duplicate spans", sum(max(0, n - SPANS) for n in held.values()))
        assert len(load.acknowledged) > KILLS
        assert load.acknowledged <= held.keys()
        assert set(held.values()) == {SPANS}
        assert miscounted(collector) == ""
        assert collector.stop() == 0
