"""How full a collector is, and what is answered at each level."""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError

import pytest
from collector.receive.receiving import Receiving
from prometheus_client import CollectorRegistry
from remembered_load import request_template

from sightline_collector.errors import Fault, LogFull, LogUnwritable, Overloaded, WaitingMayHelp
from sightline_collector.receive import fullness
from sightline_collector.receive.fullness import Fullness, Input, Seldom, of_collector
from sightline_collector.receive.limits import Limits
from sightline_collector.receive.memory import (
    MEMORY_BYTES,
    Memory,
    give_back,
    memory_bytes_max,
    resident_bytes,
)

REQUEST = request_template(time.time_ns(), 2)
MIB = 1 << 20


class Held:
    """A log as its gauges tell of it."""

    limit_bytes, pending_limit = 100 * MIB, 1000

    def __init__(self) -> None:
        self.size_bytes = self.pending_records = 0

    def waiting_segments(self, _: object) -> int:
        """None wait."""
        return 0

    def oldest_age_s(self) -> float:
        """Nothing is old."""
        return 0.0

    async def probe(self) -> None:
        """It would take a record."""


def refusal(ask: Callable[[], None]) -> type[Fault] | None:
    """What is raised."""
    try:
        ask()
    except WaitingMayHelp as e:
        return type(e)
    return None


BOUNDS = Limits(body_bytes=MIB, in_flight_bytes=10 * MIB, on_their_way_bytes=2 * MIB)


def full_of(log: Held, folder: Path, registry: CollectorRegistry, memory: Memory | None = None) -> Fullness:
    """A collector's own, on that log."""
    return of_collector(registry, BOUNDS, log, folder, memory)


def ratio(registry: CollectorRegistry, name: str) -> float:
    """What Prometheus would read."""
    return registry.get_sample_value("sightline_fullness_ratio", {"input": name}) or 0.0


def refused(registry: CollectorRegistry, name: str) -> float:
    """Requests that were to come again because of it."""
    return registry.get_sample_value("sightline_fullness_refused_requests_total", {"input": name}) or 0.0


@pytest.mark.parametrize(("held", "level"), [(0, 0.0), (50 * MIB, 0.5), (99 * MIB, 0.99), (100 * MIB, 1.0)])
def test_the_log_fills_byte_by_byte(tmp_path: Path, held: int, level: float) -> None:
    """Below its bound a record is taken, beyond it the sender waits: never at half of it."""
    registry, log = CollectorRegistry(), Held()
    log.size_bytes = held
    full = full_of(log, tmp_path, registry)
    assert refusal(lambda: full.admit(1000)) is (LogFull if level == 1.0 else None)
    assert ratio(registry, "log_bytes") == pytest.approx(level, abs=1e-4)
    assert refused(registry, "log_bytes") == (level == 1.0)


def test_as_many_records_wait_for_their_sync_as_may(tmp_path: Path) -> None:
    """The last place is given, and no other."""
    registry, log = CollectorRegistry(), Held()
    full = full_of(log, tmp_path, registry)
    log.pending_records = log.pending_limit - 1
    assert refusal(lambda: full.admit(1)) is None
    log.pending_records = log.pending_limit
    assert refusal(lambda: full.admit(1)) is LogFull
    assert (ratio(registry, "log_records"), refused(registry, "log_records")) == (1.0, 1.0)


def test_bodies_hold_their_bytes_until_they_are_answered(tmp_path: Path) -> None:
    """What is released can be held again."""
    registry = CollectorRegistry()
    full = full_of(Held(), tmp_path, registry)
    full.hold(9 * MIB)
    assert refusal(lambda: full.hold(2 * MIB)) is Overloaded
    assert ratio(registry, "bodies") == 0.9
    full.release(9 * MIB)
    assert refusal(lambda: full.hold(2 * MIB)) is None


def test_a_process_that_has_taken_its_memory_receives_no_more_bodies(tmp_path: Path) -> None:
    """The process's own resident memory is what counts, the engine's included."""
    registry = CollectorRegistry()
    assert refusal(lambda: full_of(Held(), tmp_path, registry, Memory(MIB)).hold(3 * MIB)) is Overloaded
    assert ratio(registry, "memory") > 10
    assert refusal(lambda: full_of(Held(), tmp_path, CollectorRegistry()).hold(3 * MIB)) is None


def test_memory_that_no_request_holds_refuses_no_single_request(tmp_path: Path) -> None:
    """What others hold no sender can give back: one request, as received and inflated, is taken at a time."""
    full = full_of(Held(), tmp_path, CollectorRegistry(), Memory(MIB))
    for _ in range(3):
        full.hold(MIB)
        full.hold(MIB)
        assert refusal(lambda: full.hold(1)) is Overloaded
        full.release(2 * MIB)


def test_memory_that_a_heap_keeps_is_given_back() -> None:
    """Beyond the limit the heap is told so, once in a while and not at each look; then bodies are taken."""
    given, now_s, held = threading.Event(), 10.0, [3.0 * MIB]
    times = []

    def give_back() -> None:
        times.append(now_s)
        held[0] = 0.0
        given.set()

    memory = Memory(MIB, lambda: held[0], give_back, lambda: now_s)
    assert memory() == 3 * MIB
    assert given.wait(10)
    assert memory() == 0
    held[0] = 3.0 * MIB
    assert (memory(), memory(), times) == (3 * MIB, 3 * MIB, [10.0])


def test_a_rush_of_large_bodies_leaves_a_collector_that_takes_bodies() -> None:
    """Bytes that were freed are given back to the system: the process is as small as before the rush."""
    before = resident_bytes()
    rush = [bytes(100_000) + b"x" for _ in range(2000)]
    kept = rush[::100]
    assert resident_bytes() - before > 150e6
    del rush
    give_back()
    assert resident_bytes() - before < 50e6
    assert len(kept) == 20


@pytest.mark.parametrize(
    ("limit", "machine_kb", "bytes_max"),
    [("max", 64 << 20, MEMORY_BYTES), (str(1 << 30), 64 << 20, 858_993_459), ("max", 1 << 20, 858_993_459)],
    ids=["large", "container", "machine"],
)
def test_a_small_container_or_machine_is_a_smaller_bound(
    tmp_path: Path, limit: str, machine_kb: int, bytes_max: int
) -> None:
    """Four fifths of what there is, where that is less than the usual bound."""
    group, machine = tmp_path / "memory.max", tmp_path / "meminfo"
    group.write_text(f"{limit}\n")
    machine.write_text(f"MemTotal: {machine_kb} kB\n")
    assert memory_bytes_max((group, tmp_path / "none"), machine) == bytes_max


def test_as_many_messages_are_on_their_way_as_may(tmp_path: Path) -> None:
    """Each counts as the largest, until it is whole or given up."""
    registry = CollectorRegistry()
    full = full_of(Held(), tmp_path, registry)
    with full.message(), full.message():
        assert refusal(lambda: full.message().__enter__()) is Overloaded
        assert (ratio(registry, "messages"), refused(registry, "messages")) == (1.0, 1.0)
    assert ratio(registry, "messages") == 0


def test_a_disk_keeps_room_for_merges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a disk is full senders wait, so that the engine can make room on it."""
    monkeypatch.setattr(fullness, "DISK_KEPT_BYTES", 1 << 60)
    monkeypatch.setattr(fullness, "DISK_KEPT_SHARE", 1.0)
    registry = CollectorRegistry()
    full = full_of(Held(), tmp_path, registry)
    assert refusal(lambda: full.admit(1)) is LogUnwritable
    assert ratio(registry, "disk") > 1


def test_what_cannot_be_measured_refuses_nobody(tmp_path: Path) -> None:
    """A disk that says nothing of its size is judged by its writes."""
    full = full_of(Held(), tmp_path / "away", CollectorRegistry())
    assert refusal(lambda: full.admit(1)) is None


def test_a_costly_measure_is_taken_seldom() -> None:
    """However many requests come, memory and disk are looked at four times a second."""
    taken: list[int] = []
    now_s = 0.0
    measure = Seldom(lambda: float(taken.append(1) or len(taken)), lambda: now_s)  # type: ignore[func-returns-value]
    assert [measure() for _ in range(100)] == [1.0] * 100
    now_s = fullness.LOOK_S
    assert measure() == 2.0


def test_refused_senders_come_back_one_after_the_other(tmp_path: Path) -> None:
    """They are told 1, 2 and 3 seconds in turn."""
    log = Held()
    log.size_bytes = log.limit_bytes
    full = full_of(log, tmp_path, CollectorRegistry())
    told = []
    for _ in range(6):
        with pytest.raises(LogFull) as refused_with:
            full.admit(1)
        told.append(refused_with.value.retry_after_s)
    assert sorted(told) == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize(
    ("kind", "status"),
    [(LogFull, 503), (LogUnwritable, 503), (Overloaded, 429)],
    ids=["log", "disk", "memory"],
)
def test_a_sender_is_told_when_to_come_again_and_is_taken_then(
    tmp_path: Path, kind: type[WaitingMayHelp], status: int
) -> None:
    """A full collector answers 429 or 503 with Retry-After; the same bytes are taken once there is room."""
    used = [2.0]

    def full(health: object, _: object) -> Fullness:
        says = Input(
            "x", 1.0, lambda more: used[0], lambda after_s: kind("full", hint="Retry", retry_after_s=after_s)
        )
        return Fullness(health.registry, Limits(), of_records=[says])  # type: ignore[attr-defined]

    with Receiving(tmp_path, fullness=full) as receiving:
        assert post(receiving.url("traces")) == (status, True)
        assert receiving.count("receive_refused_requests_total", signal="traces", reason=kind.reason) == 1
        used[0] = 0.5
        assert post(receiving.url("traces")) == (200, False)


def post(url: str) -> tuple[int, bool]:
    """The status, and whether it says when to come again."""
    request = urllib.request.Request(url, REQUEST, {"Content-Type": "application/x-protobuf"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, "retry-after" in answer.headers
    except HTTPError as e:
        with e:
            return e.code, "retry-after" in e.headers
