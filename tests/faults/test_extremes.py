"""Requests at the edges of what OTLP can say, sent to a running collector, and signals that come twice."""

from __future__ import annotations

import os
import signal
import time
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest
from collector_process import CollectorProcess, wait_until
from faults.extremes import extremes
from faults.oracle import caught_up
from remembered_load import SPANS, TRACE, RememberedLoad, request_template


def sent(collector: CollectorProcess, body: bytes) -> int:
    """The status of the answer."""
    as_protobuf = {"Content-Type": "application/x-protobuf"}
    try:
        request = urllib.request.Request(f"{collector.otlp}/v1/traces", body, as_protobuf)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except HTTPError as e:
        with e:
            return e.code


@pytest.mark.timeout(300)
def test_whatever_was_acknowledged_is_stored_or_put_aside_and_harms_no_other(tmp_path: Path) -> None:
    """What is refused is refused for good; of the rest each span is a row or in a dead letter."""
    with CollectorProcess(tmp_path / "data") as collector:
        collector.start()
        requests = extremes()
        answered = {each.name: sent(collector, each.body) for each in requests}
        assert answered == {each.name: each.status for each in requests}
        assert sent(collector, request_template(time.time_ns())) == 200
        caught_up(collector)
        rows = collector.ask("select trace_id, count() as n from spans group by trace_id")
        held = {row["trace_id"]: row["n"] for row in rows}
        assert held.pop(TRACE.hex()) == SPANS
        taken = {f"{number:032x}": each for number, each in enumerate(requests, 1) if each.status == 200}
        aside = {each.name for trace, each in taken.items() if held.get(trace, 0) != each.spans}
        assert aside == {"bytes that only the engine cannot read"}
        assert len(list((tmp_path / "data" / "dead-letter").glob("*.otlp"))) == 1
        assert collector.stop() == 0


def test_a_second_sigterm_cuts_nothing_short(tmp_path: Path) -> None:
    """A collector that is told twice to stop drains as if it was told once."""
    with CollectorProcess(tmp_path / "data") as collector:
        collector.start()
        load = RememberedLoad(collector.otlp, threads=2)
        load.start()
        wait_until(lambda: len(load.acknowledged) > 50)
        os.kill(collector.pid, signal.SIGTERM)
        wait_until(lambda: load.refused > 0 or collector.exit_code() is not None or not _listens(collector))
        if collector.exit_code() is None:
            os.kill(collector.pid, signal.SIGTERM)
        assert collector.wait() == 0
        load.stop()
        assert not list((tmp_path / "data" / "wal").glob("*-*.*"))
        collector.start()
        rows = collector.ask("select trace_id, count() as n from spans group by trace_id")
        held = {row["trace_id"]: row["n"] for row in rows if row["trace_id"] != TRACE.hex()}
        assert held.keys() >= load.acknowledged
        assert set(held.values()) == {SPANS}
        assert collector.stop() == 0


def _listens(collector: CollectorProcess) -> bool:
    try:
        return sent(collector, request_template(time.time_ns())) == 200
    except OSError:
        return False
