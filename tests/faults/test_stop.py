"""Stopping on request: what was acknowledged is stored, and the next start finds nothing to repair."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from collector_process import CollectorProcess, wait_until
from remembered_load import SPANS, RememberedLoad


def has_acknowledged(load: RememberedLoad, requests: int) -> bool:
    """Whether more than so many requests of the load were acknowledged."""
    return len(load.acknowledged) > requests


def test_sigterm_under_load_leaves_nothing_unfinished(tmp_path: Path) -> None:
    """A collector that is told to stop answers what it has begun, stores it, and exits with 0."""
    with CollectorProcess(tmp_path / "data", anew=True) as collector:
        collector.start()
        load = RememberedLoad(collector.otlp)
        load.start()
        wait_until(partial(has_acknowledged, load, 50))
        assert collector.stop() == 0
        load.stop()
        assert not list((tmp_path / "data" / "wal").glob("*.segment"))
        assert not list((tmp_path / "data" / "wal").glob("*.open"))
        collector.start()
        held = collector.ask("select trace_id, count() as n from spans group by trace_id")
        assert {row["trace_id"] for row in held} >= load.acknowledged
        assert {row["n"] for row in held} == {SPANS}
        assert collector.stop() == 0


def test_a_restart_carries_on_with_numbers_and_rows(tmp_path: Path) -> None:
    """Batches go on counting after a restart: no number is used twice."""
    with CollectorProcess(tmp_path / "data", "--segment-age-s", "0.1") as collector:
        for _ in range(2):
            collector.start()
            load = RememberedLoad(collector.otlp, threads=1)
            load.start()
            wait_until(partial(has_acknowledged, load, 5))
            load.stop()
            collector.flush()
            (rows,) = collector.ask(
                "select count() as n, uniqExact(writer) as writers, max(batch) as last from spans"
            )
            assert rows["writers"] == 1
            doubled = collector.ask(
                "select span_id, trace_id, count() as n from spans group by 1, 2 having n > 1"
            )
            assert doubled == []
            assert collector.stop() == 0
