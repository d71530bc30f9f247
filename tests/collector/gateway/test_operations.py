"""What operators and their machines ask."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from collector.gateway.serving import Port, serving, wait_until
from prometheus_client import Gauge
from prometheus_client.parser import text_string_to_metric_families

from sightline_collector.errors import LogFull, Malformed, StoreUnreachable
from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

JSON = {"Content-Type": "application/json"}


def test_ready_when_everything_works(port: Port) -> None:
    """200 and no reasons."""
    answer = port.client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reasons": []})


def test_not_ready_without_a_store(tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 and the reason, when the store does not answer; the process lives all the same."""
    lost = Engine(engine.url)
    with serving(lost, tmp_path) as port:
        lost.close()
        monkeypatch.setattr(lost, "value", _unreachable)
        answer = port.client.get("/readyz")
        assert answer.status_code == 503
        assert "does not answer" in answer.json()["reasons"][0]
        assert port.client.get("/healthz").status_code == 200


def test_not_ready_when_the_disk_refuses(tmp_path: Path, engine: Engine) -> None:
    """503 with the disk's own word as soon as the log cannot be written, before a sender finds out."""
    with serving(engine, tmp_path) as port:
        (tmp_path / "wal").rename(tmp_path / "gone")
        answer = port.client.get("/readyz")
        (tmp_path / "gone").rename(tmp_path / "wal")
        assert answer.status_code == 503
        assert "The log cannot be written: No such file or directory" in answer.json()["reasons"][0]
        assert port.client.get("/readyz").status_code == 200


def test_not_ready_when_the_log_is_full(tmp_path: Path, engine: Engine) -> None:
    """503 while the log refuses every record for want of room."""
    with serving(engine, tmp_path, log_bytes=10) as port:
        answer = port.client.get("/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (503, False)
        assert "all of the 10 bytes" in answer.json()["reasons"][0]


def test_not_ready_when_senders_are_told_to_come_again(port: Port) -> None:
    """503 with what refuses every request, as its gauge has it; memory refuses only some."""
    ratio = Gauge("sightline_fullness_ratio", "How full", ("input",), registry=port.health.registry)
    ratio.labels("bodies").set(0.99)
    ratio.labels("disk").set(1.0)
    ratio.labels("memory").set(1.2)
    try:
        answer = port.client.get("/readyz")
    finally:
        port.health.registry.unregister(ratio)
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["full: disk; senders are told to come again"]


def _unreachable(*_: object) -> None:
    raise StoreUnreachable("the store does not answer", hint="start it")


def test_metrics_are_prometheus_text(port: Port) -> None:
    """/metrics parses, and holds the collector's counters."""
    answer = port.client.get("/metrics")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"sightline_log_bytes", "sightline_store_items", "sightline_loss_items"} <= names
    assert answer.headers["content-type"].startswith("text/plain; version=")


def test_statements_are_counted(port: Port) -> None:
    """By how they ended: answered, refused, failed."""

    def counted() -> dict[str, float]:
        families = text_string_to_metric_families(port.client.get("/metrics").text)
        samples = next(f for f in families if f.name == "sightline_sql_statements").samples
        return {s.labels["outcome"]: s.value for s in samples if s.name.endswith("_total")}

    port.ask("select 1")
    port.ask("select * from spans_v1")
    port.ask("select * from nosuch")
    port.ask("select throwIf(number = 3000000) from numbers(5000000)")
    wait_until(lambda: sum(counted().values()) >= 4)
    assert counted() == {"answered": 1, "refused": 1, "failed": 2}


def test_status_counts_items(port: Port) -> None:
    """/api/status sums what was received and stored, what was refused for good, and what else is lost."""
    port.health.accepted(Signal.TRACES, 5, 100, 0.001)
    port.health.lost(Signal.LOGS, "dead_letter_dropped", 3)
    port.health.refused(Signal.TRACES, Malformed("cut short", hint=""))
    port.health.lost(Signal.TRACES, "malformed", 1)
    port.health.refused(Signal.TRACES, LogFull("full", hint=""))
    said = port.client.get("/api/status").json()
    assert said["items"] == {"received": 5, "stored": 0, "refused": 1, "dead_letters": 0, "lost": 3}
    assert said["log"]["waiting_segments"] == 0
    assert said["engine"].count(".") == 3


def test_flush_returns_when_everything_is_stored(tmp_path: Path, engine: Engine) -> None:
    """POST /api/flush waits for the collector, and GET does nothing."""
    flushed: list[int] = []

    async def flush() -> None:
        await asyncio.sleep(0)
        flushed.append(1)

    with serving(engine, tmp_path, flush=flush) as port:
        assert port.client.post("/api/flush", headers=JSON).json() == {"flushed": True}
        assert port.client.get("/api/flush").status_code == 405
    assert flushed == [1]
