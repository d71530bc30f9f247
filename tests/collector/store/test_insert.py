"""How segments come into the store: once, whole, and whatever is in them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from migrated_stores import MigratedStores
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from remembered_load import TRACE, request_template

from sightline_collector.health import Health
from sightline_collector.sql.catalog import Catalog
from sightline_collector.store import batch
from sightline_collector.store.engine import Engine
from sightline_collector.store.insert import Inserter
from sightline_collector.wal.appender import Segment, SegmentLimits
from sightline_collector.wal.dead_letter import DeadLetters
from sightline_collector.wal.log import Log, LogLimits
from sightline_collector.wal.segment import Signal

SPANS = 3
GOOD = request_template(time.time_ns(), SPANS)
POISON = GOOD + b"\x0b\x10\x01\x0c"
"""The request, and an unknown group with content: protobuf accepts it, the engine does not."""


@pytest.fixture
def engine(stores: MigratedStores) -> Iterator[Engine]:
    """A store without rows for each test."""
    lent = stores.lend()
    yield lent
    stores.take_back(lent)


class Parts:
    """A log and the inserter of one signal, on a folder of the test's own."""

    def __init__(self, engine: Engine, folder: Path, signal: Signal = Signal.TRACES) -> None:
        self.engine, self.folder, self.signal, self.health = engine, folder, signal, Health()
        self.letters = DeadLetters(folder / "dead-letter", self.health)

    async def run(self, work: Callable[[Log], Awaitable[None]]) -> None:
        """Open the log, insert what comes out of it while `work` runs, then drain."""
        limits = LogLimits(segment=SegmentLimits(age_s=0.1))
        log = await Log.open(self.folder / "wal", limits=limits)
        self.health.watch(log)
        with ThreadPoolExecutor(1) as threads:
            inserter = Inserter(
                self.signal, self.engine, log, self.letters, self.health, self.folder, threads
            )
            inserting = asyncio.create_task(inserter.run())
            await work(log)
            await log.drain()
            await asyncio.wait_for(inserting, 60)
        await log.close()

    def metric(self, name: str, **labels: str) -> float:
        """A counter's value, 0 when it never counted."""
        return self.health.registry.get_sample_value(name, {"signal": self.signal, **labels}) or 0.0

    def stored(self) -> dict[str, int]:
        """Spans in the store by trace."""
        rows = self.engine.rows("select trace_id, count() as n from spans_v1 group by trace_id")
        return {row["trace_id"]: row["n"] for row in rows}


def request(number: int, body: bytes = GOOD) -> bytes:
    """A request whose trace is numbered."""
    return body.replace(TRACE, number.to_bytes(16, "big"))


def trace(number: int) -> str:
    """The number as a trace id."""
    return f"{number:032x}"


def test_what_is_appended_is_stored_once_and_let_go(engine: Engine, tmp_path: Path) -> None:
    """Every request's spans are in the store, and the log is empty again."""
    parts = Parts(engine, tmp_path)

    async def work(log: Log) -> None:
        await asyncio.gather(*(log.append(Signal.TRACES, request(n), SPANS) for n in range(20)))

    asyncio.run(parts.run(work))
    assert parts.stored() == {trace(n): SPANS for n in range(20)}
    assert not list((tmp_path / "wal").glob("*.segment"))
    assert parts.metric("sightline_store_items_total") == 20 * SPANS


def test_a_poisoned_request_goes_to_the_dead_letters_and_no_other(engine: Engine, tmp_path: Path) -> None:
    """One request that the engine cannot read is put aside with its reason; its neighbours are stored."""
    parts = Parts(engine, tmp_path)

    async def work(log: Log) -> None:
        bodies = [request(n, POISON if n == 5 else GOOD) for n in range(12)]
        await asyncio.gather(*(log.append(Signal.TRACES, body, SPANS) for body in bodies))

    asyncio.run(parts.run(work))
    assert parts.stored() == {trace(n): SPANS for n in range(12) if n != 5}
    (letter,) = parts.letters.letters()
    assert (letter.items, letter.code in (444, 436, 32)) == (SPANS, True)
    assert ExportTraceServiceRequest.FromString(request(5, POISON))  # the door's parser takes it
    assert not list((tmp_path / "wal").glob("*.segment"))


def test_who_sends_many_poisoned_requests_holds_nobody_up(engine: Engine, tmp_path: Path) -> None:
    """One of a segment is put aside; what the others say beyond OTLP is left out, and all of them are stored
    with their neighbours in a few inserts."""
    parts = Parts(engine, tmp_path)

    async def work(log: Log) -> None:
        bodies = [request(n, POISON if n % 4 else GOOD) for n in range(64)]
        await asyncio.gather(*(log.append(Signal.TRACES, body, SPANS) for body in bodies))

    asyncio.run(parts.run(work))
    (letter,) = parts.letters.letters()
    assert (letter.items, letter.code) == (SPANS, 444)
    assert len(parts.stored()) == 63
    assert set(parts.stored().values()) == {SPANS}


def test_a_search_for_bad_requests_does_not_outlast_a_stop(engine: Engine, tmp_path: Path) -> None:
    """No further piece is tried once the collector leaves; the next start stores each request once."""
    parts = Parts(engine, tmp_path)

    async def stopped() -> None:
        log = await Log.open(tmp_path / "wal", limits=LogLimits(segment=SegmentLimits(records=12)))
        with ThreadPoolExecutor(1) as threads:
            inserter = Inserter(Signal.TRACES, engine, log, parts.letters, parts.health, tmp_path, threads)
            inserter.leave()
            inserting = asyncio.create_task(inserter.run())
            bodies = [request(n, POISON if n == 5 else GOOD) for n in range(12)]
            await asyncio.gather(*(log.append(Signal.TRACES, body, SPANS) for body in bodies))
            while not parts.metric("sightline_store_retries_total", reason="LogClosed"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            inserting.cancel()
        await log.close()

    async def nothing(log: Log) -> None:
        pass

    asyncio.run(stopped())
    asyncio.run(parts.run(nothing))
    assert parts.stored() == {trace(n): SPANS for n in range(12) if n != 5}


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An insert may have a sixteenth of what it has."""
    monkeypatch.setitem(batch.INSERT_SETTINGS, "max_memory_usage", batch.INSERT_MEMORY_BYTES // 16)
    batch._insertion.cache_clear()
    yield
    batch._insertion.cache_clear()


def wide(spans: int) -> bytes:
    """A request whose resource, which the engine copies to each span, has 8 KB."""
    made = ExportTraceServiceRequest.FromString(request_template(time.time_ns(), spans))
    for n in range(60):
        made.resource_spans[0].resource.attributes.add(key=f"k{n}", value=AnyValue(string_value="v" * 130))
    encoded: bytes = made.SerializeToString()
    return encoded


@pytest.mark.usefixtures("little_memory")
def test_what_is_too_much_only_together_is_stored_in_pieces(engine: Engine, tmp_path: Path) -> None:
    """Requests of which each fits and all at once do not are all stored, and none becomes a dead letter; so
    are the spans of one request that does not."""
    parts = Parts(engine, tmp_path)
    template, alone = wide(100), wide(2000).replace(TRACE, b"a" * 16)

    async def work(log: Log) -> None:
        bodies = [request(n, template) for n in range(20)]
        await asyncio.gather(*(log.append(Signal.TRACES, body, 100) for body in bodies))
        await log.append(Signal.TRACES, alone, 2000)

    asyncio.run(parts.run(work))
    assert parts.stored() == {trace(n): 100 for n in range(20)} | {(b"a" * 16).hex(): 2000}
    assert list(parts.letters.letters()) == []


@pytest.mark.usefixtures("little_memory")
def test_a_span_that_is_too_much_by_itself_is_put_aside_with_few_others(
    engine: Engine, tmp_path: Path
) -> None:
    """Of a request that needs too much, what cannot be stored becomes dead letters that say why."""
    parts = Parts(engine, tmp_path)
    made = ExportTraceServiceRequest.FromString(GOOD)
    for n in range(100_000):
        made.resource_spans[0].scope_spans[0].spans[1].attributes.add(key=f"k{n}").value.string_value = (
            "v" * 99
        )

    async def work(log: Log) -> None:
        await log.append(Signal.TRACES, made.SerializeToString(), SPANS)

    asyncio.run(parts.run(work))
    (letter,) = parts.letters.letters()
    assert (letter.items, letter.code) == (1, 241)
    assert parts.stored() == {TRACE.hex(): SPANS - 1}


def test_a_broken_chain_is_noticed_and_nothing_is_let_go(engine: Engine, tmp_path: Path) -> None:
    """A dropped view, which the engine reports as success, keeps the segment until the view is back."""
    parts = Parts(engine, tmp_path, Signal.LOGS)
    view = next(r for r in Catalog(engine.database).relations("ingest") if r.name == "store_logs")
    engine.command("drop view store_logs")
    logs = ExportLogsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add(severity_number=9)

    async def work(log: Log) -> None:
        await log.append(Signal.LOGS, logs.SerializeToString(), 1)
        while not parts.metric("sightline_store_retries_total", reason="CountDiffers"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert engine.value("select count() from logs_v1") == 0
        engine.command(view.body)

    asyncio.run(parts.run(work))
    assert engine.value("select count() from logs_v1") == 1


def test_a_request_that_counts_otherwise_is_buried_alone(engine: Engine, tmp_path: Path) -> None:
    """Where the door and the engine count a request differently, it is put aside and blocks nobody."""
    parts = Parts(engine, tmp_path)

    async def work(log: Log) -> None:
        counts = [SPANS + 1 if n == 2 else SPANS for n in range(4)]
        await asyncio.gather(*(log.append(Signal.TRACES, request(n), c) for n, c in enumerate(counts)))

    asyncio.run(parts.run(work))
    assert parts.stored() == {trace(n): SPANS for n in range(4) if n != 2}
    (letter,) = parts.letters.letters()
    assert f"has {SPANS} rows in the store, {SPANS + 1} were inserted" in letter.why


@pytest.mark.parametrize(
    ("held", "found"), [(SPANS, "whole"), (1, "short"), (0, "absent")], ids=["whole", "short", "absent"]
)
def test_a_segment_in_doubt_is_compared_first(engine: Engine, tmp_path: Path, held: int, found: str) -> None:
    """What a crash left in part is deleted and inserted again; what it left whole is not inserted twice."""
    parts = Parts(engine, tmp_path)

    async def leave(log: Log) -> None:
        await log.append(Signal.TRACES, request(1), SPANS)

    asyncio.run(parts.run(leave))
    row = engine.rows("select batch, writer from spans_v1 limit 1")[0]
    engine.command(
        f"alter table spans_v1 delete where toUInt64OrZero(span_id) >= {held} settings mutations_sync = 1"
    )
    assert sum(parts.stored().values()) == held

    async def again(log: Log) -> None:
        segment = _segment_of(log, tmp_path, row["batch"])
        with ThreadPoolExecutor(1) as threads:
            inserter = Inserter(Signal.TRACES, engine, log, parts.letters, parts.health, tmp_path, threads)
            await asyncio.to_thread(inserter._store, segment, True)

    asyncio.run(parts.run(again))
    assert parts.stored() == {trace(1): SPANS}
    assert parts.metric("sightline_store_in_doubt_segments_total", found=found) == 1


def _segment_of(log: Log, folder: Path, batch: int) -> Segment:
    """The request's segment as the crash left it."""
    from sightline_collector.wal.segment import Entry, frame

    entry = Entry(request(1), SPANS, "default", time.time_ns())
    length, trailer = frame(entry, batch, log.writer)
    file = folder / "left.segment"
    file.write_bytes(length + entry.body + trailer)
    size = file.stat().st_size
    segment = Segment(file, Signal.TRACES, batch, SPANS, 1, size, entry.received_at_ns, entry.received_at_ns)
    return replace(segment, in_doubt=True)
