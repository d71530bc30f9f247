"""An outage as the store sees it afterwards: what waited has arrived, what was lost is there as a number."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from collector_process import CollectorProcess
from sdk.programs import run, unused_port

SPANS = """
import sightline
sightline.init({service!r}, {url!r}, instrument=False{settings})
for number in range({count}):
    with sightline.stage(str(number)): pass
"""


@pytest.fixture
def port() -> int:
    return unused_port()


@pytest.fixture
def collector(tmp_path: Path, port: int) -> Iterator[CollectorProcess]:
    """One that is not started yet, on a port that programs know already."""
    with CollectorProcess(tmp_path / "store", "--otlp-http-port", str(port)) as process:
        yield process


def test_an_outage_costs_nothing_that_is_not_counted(
    collector: CollectorProcess, port: int, tmp_path: Path
) -> None:
    """Spans kept in memory and on disk arrive once the collector is there; those that fitted nowhere are in
    `span_loss`, exactly.
    """
    url, spool = f"http://127.0.0.1:{port}", f", spool={str(tmp_path / 'spool')!r}"
    run(SPANS.format(service="on disk", url=url, count=600, settings=spool))
    in_memory = SPANS.format(service="in memory", url=url, count=500, settings="")
    waiting = subprocess.Popen(
        [sys.executable, "-c", in_memory + "input()\nassert sightline.flush(60)"],
        env={**os.environ, "OTEL_BSP_MAX_QUEUE_SIZE": "100", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "50"},
        stdin=subprocess.PIPE,
    )
    collector.start()
    waiting.communicate(b"\n", timeout=90)
    assert waiting.returncode == 0
    run(SPANS.format(service="on disk", url=url, count=0, settings=spool))
    collector.flush()
    counts = "select service, count() as spans, uniqExact(span_id) as ids from spans group by service"
    arrived = {row["service"]: row["spans"] for row in collector.ask(counts) if row["spans"] == row["ids"]}
    lost = collector.ask("select place, signal, service, reason, items from span_loss")
    assert arrived["on disk"] == 600
    assert lost == [
        {
            "place": "sender",
            "signal": "traces",
            "service": "in memory",
            "reason": "queue_full",
            "items": 500 - arrived["in memory"],
        }
    ]
