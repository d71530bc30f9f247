"""What the log promises: acknowledged is on disk, segments come out whole and in order, room is bounded."""

import asyncio
import os
import resource
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sightline_collector.errors import LogClosed, LogFull, LogUnwritable
from sightline_collector.wal import segment
from sightline_collector.wal.appender import Segment, SegmentLimits
from sightline_collector.wal.log import Log, LogLimits
from sightline_collector.wal.segment import Record, Signal
from sightline_collector.wal.watcher import Quiet

NEVER_S = 3600.0
SLOW = LogLimits(segment=SegmentLimits(age_s=NEVER_S))


def run(path: Path, scenario: Callable[[Log], Awaitable[None]], limits: LogLimits = SLOW) -> None:
    async def opened() -> None:
        log = await Log.open(path, limits=limits)
        try:
            await scenario(log)
        finally:
            await log.close()

    asyncio.run(asyncio.wait_for(opened(), 60))


def records_of(path: Path) -> list[tuple[bytes, Record]]:
    content = path.read_bytes()
    found = segment.records(content, batch=int(path.stem.split("-")[1]))
    return [(bytes(one.body(content)), one) for one in found]


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*-*.*"))


def bodies_in(folder: Path) -> list[bytes]:
    return [body for path in files_in(folder) for body, _ in records_of(path)]


@contextmanager
def file_size_limit(size_bytes: int) -> Iterator[None]:
    """The operating system refuses to make any file larger: a disk that is full, for this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_append_returns_when_the_record_is_in_the_file(tmp_path: Path) -> None:
    """After `append` the segment's file holds the record: body, items, project, writer and batch."""

    async def scenario(log: Log) -> None:
        await log.append(Signal.TRACES, b"request", 7, "shop")
        (path,) = files_in(tmp_path)
        ((body, record),) = records_of(path)
        assert (body, record.items, record.project, record.writer) == (b"request", 7, "shop", log.writer)

    run(tmp_path, scenario)


def test_records_that_come_during_a_sync_share_the_next_one(tmp_path: Path) -> None:
    """Two hundred concurrent appends need far fewer syncs than records, and keep their order."""
    groups: list[int] = []

    class Watching(Quiet):
        def group_committed(self, signal: Signal, records: int, seconds: float) -> None:
            groups.append(records)

    async def scenario() -> None:
        log = await Log.open(tmp_path, limits=SLOW, watcher=Watching())
        await asyncio.gather(*(log.append(Signal.LOGS, b"%d" % n, 1) for n in range(200)))
        await log.close()

    asyncio.run(scenario())
    assert sum(groups) == 200
    assert len(groups) < 20
    assert bodies_in(tmp_path) == [b"%d" % n for n in range(200)]


@pytest.mark.parametrize(
    ("limits", "per_segment"),
    [
        (SegmentLimits(items=10, age_s=NEVER_S), 2),
        (SegmentLimits(records=3, age_s=NEVER_S), 3),
        (SegmentLimits(size_bytes=4 * (1000 + segment.FRAME_BYTES_MAX), age_s=NEVER_S), 4),
    ],
)
def test_a_segment_is_sealed_at_its_limit(tmp_path: Path, limits: SegmentLimits, per_segment: int) -> None:
    """Items, records, bytes: the first limit reached seals, and a group is spread over several segments."""

    async def scenario(log: Log) -> None:
        await asyncio.gather(*(log.append(Signal.TRACES, bytes([n]) * 1000, 5) for n in range(12)))
        first = await log.sealed(Signal.TRACES)
        second = await log.sealed(Signal.TRACES)
        assert (first.records, first.items, second.records) == (per_segment, 5 * per_segment, per_segment)
        assert first.size_bytes == first.path.stat().st_size
        assert not first.in_doubt
        assert [body[0] for body, _ in records_of(first.path)] == list(range(per_segment))

    run(tmp_path, scenario, LogLimits(segment=limits))


def test_a_request_beyond_the_limits_gets_a_segment_to_itself(tmp_path: Path) -> None:
    """Nothing is refused for being larger than a segment, and nothing else joins it."""

    async def scenario(log: Log) -> None:
        for items in (1, 500, 1):
            await log.append(Signal.TRACES, b"request", items)
        assert [(await log.sealed(Signal.TRACES)).items for _ in range(2)] == [1, 500]

    run(tmp_path, scenario, LogLimits(segment=SegmentLimits(items=10, age_s=NEVER_S)))


def test_a_segment_is_sealed_at_its_age(tmp_path: Path) -> None:
    """A little traffic is handed over when the first record is as old as the limit."""

    async def scenario(log: Log) -> None:
        await log.append(Signal.METRICS, b"points", 2)
        await log.append(Signal.METRICS, b"more", 2)
        sealed = await log.sealed(Signal.METRICS)
        assert (sealed.items, sealed.records, sealed.signal) == (4, 2, Signal.METRICS)
        assert sealed.sealed_at_ns > sealed.first_received_at_ns

    run(tmp_path, scenario, LogLimits(segment=SegmentLimits(age_s=0.05)))


def test_a_segment_of_age_grows_until_somebody_waits_for_one(tmp_path: Path) -> None:
    """While the store is busy, what arrives joins the open segment: larger inserts cost less a row."""

    async def scenario(log: Log) -> None:
        await log.append(Signal.TRACES, b"first", 1)
        first = await log.sealed(Signal.TRACES)
        await log.append(Signal.TRACES, b"second", 2)
        while log.oldest_age_s() < 0.2:  # noqa: ASYNC110 - the log's age has no event
            await asyncio.sleep(0.01)
        await log.append(Signal.TRACES, b"third", 4)
        await log.let_go(first)
        assert log.waiting_segments(Signal.TRACES) == 0
        assert (await log.sealed(Signal.TRACES)).items == 2 + 4

    run(tmp_path, scenario, LogLimits(segment=SegmentLimits(age_s=0.05)))


def test_an_idle_log_makes_no_segment(tmp_path: Path) -> None:
    """Opened and closed without a record, the folder holds none."""

    async def scenario(log: Log) -> None:
        assert (log.size_bytes, log.pending_records, log.oldest_age_s()) == (0, 0, 0.0)

    run(tmp_path, scenario)
    assert bodies_in(tmp_path) == []
    assert files_in(tmp_path) == []


def test_batch_numbers_are_one_rising_count_over_all_signals_and_starts(tmp_path: Path) -> None:
    """No number is used twice, also when every segment has gone and the process was started anew."""
    batches: list[int] = []

    async def scenario(log: Log) -> None:
        for signal in Signal:
            await log.append(signal, b"request", 1)
        await log.drain()
        for signal in Signal:
            sealed = await log.sealed(signal)
            batches.append(sealed.batch)
            await log.let_go(sealed)

    run(tmp_path, scenario)
    run(tmp_path, scenario)
    assert len(set(batches)) == 6
    assert max(batches[:3]) < min(batches[3:])


def test_batch_numbers_start_above_the_stores_own(tmp_path: Path) -> None:
    """A folder that was lost or restored does not repeat numbers that the store has seen."""

    async def scenario() -> None:
        log = await Log.open(tmp_path, batch_floor=5_000, limits=SLOW)
        await log.append(Signal.TRACES, b"request", 1)
        await log.close()

    asyncio.run(scenario())
    assert [path.name for path in tmp_path.glob("traces-*")] == ["traces-00000000000000005001.segment"]


def test_let_go_removes_the_file_and_its_bytes(tmp_path: Path) -> None:
    """A confirmed segment is unlinked, and counts neither as bytes nor as waiting nor as old."""

    async def scenario(log: Log) -> None:
        await log.append(Signal.TRACES, b"request", 1)
        sealed = await log.sealed(Signal.TRACES)
        assert (log.size_bytes, log.waiting_segments(Signal.TRACES)) == (sealed.size_bytes, 1)
        assert log.oldest_age_s() > 0
        await log.let_go(sealed)
        assert not sealed.path.exists()
        assert (log.size_bytes, log.waiting_segments(Signal.TRACES), log.oldest_age_s()) == (0, 0, 0.0)

    run(tmp_path, scenario, LogLimits(segment=SegmentLimits(age_s=0.01)))


def test_what_came_by_a_moment_is_held_until_it_is_let_go(tmp_path: Path) -> None:
    """A record of that very nanosecond is, a later one is not."""

    async def scenario() -> None:
        log = await Log.open(tmp_path, limits=LogLimits(segment=SegmentLimits(records=1)), clock_ns=lambda: 7)
        await log.append(Signal.TRACES, b"request", 1)
        assert (log.holds(6), log.holds(7)) == (False, True)
        await log.let_go(await log.sealed(Signal.TRACES))
        assert not log.holds(7)
        await log.close()

    asyncio.run(scenario())


def test_a_full_log_refuses_and_takes_again_when_a_segment_is_let_go(tmp_path: Path) -> None:
    """The byte limit is never passed; senders are told to wait one, two or three seconds in turn."""
    limits = LogLimits(size_bytes=10_000, segment=SegmentLimits(records=1, age_s=NEVER_S))

    async def scenario(log: Log) -> None:
        for _ in range(2):
            await log.append(Signal.TRACES, bytes(4000), 1)
        waits = []
        for _ in range(3):
            with pytest.raises(LogFull, match="10000 bytes") as refused:
                await log.append(Signal.LOGS, bytes(4000), 1)
            waits.append(refused.value.retry_after_s)
        assert sorted(waits) == [1, 2, 3]
        assert log.size_bytes <= 10_000
        await log.let_go(await log.sealed(Signal.TRACES))
        await log.append(Signal.LOGS, bytes(4000), 1)

    run(tmp_path, scenario, limits)


def test_too_many_pending_records_are_refused(tmp_path: Path) -> None:
    """What waits for the disk is bounded: beyond it the sender keeps its data."""

    async def scenario(log: Log) -> None:
        tries = [log.append(Signal.TRACES, b"%d" % n, 1) for n in range(50)]
        answers = await asyncio.gather(*tries, return_exceptions=True)
        assert [type(answer) for answer in answers] == [type(None)] * 20 + [LogFull] * 30

    run(tmp_path, scenario, LogLimits(pending_records=20, segment=SegmentLimits(age_s=NEVER_S)))
    assert len(bodies_in(tmp_path)) == 20


def test_a_record_that_the_disk_refuses_is_not_acknowledged_and_leaves_no_trace(tmp_path: Path) -> None:
    """The file is cut back to the last sync and sealed; writing goes on when there is room again."""

    async def scenario(log: Log) -> None:
        await log.append(Signal.TRACES, b"before", 1)
        with file_size_limit(4096), pytest.raises(LogUnwritable, match="File too large"):
            await log.append(Signal.TRACES, bytes(8192), 1)
        await log.append(Signal.TRACES, b"after", 1)
        await log.drain()
        first, second = await log.sealed(Signal.TRACES), await log.sealed(Signal.TRACES)
        assert [body for body, _ in records_of(first.path)] == [b"before"]
        assert [body for body, _ in records_of(second.path)] == [b"after"]
        assert first.size_bytes == first.path.stat().st_size

    run(tmp_path, scenario)
    assert list((tmp_path / "torn").iterdir()) == []


def test_a_waiter_that_gives_up_harms_no_other(tmp_path: Path) -> None:
    """A cancelled append neither stops its group nor fails it."""

    async def scenario(log: Log) -> None:
        appends = [asyncio.create_task(log.append(Signal.TRACES, b"%d" % n, 1)) for n in range(3)]
        await asyncio.sleep(0)
        appends[1].cancel()
        answers = await asyncio.gather(*appends, return_exceptions=True)
        assert [type(answer) for answer in answers] == [type(None), asyncio.CancelledError, type(None)]

    run(tmp_path, scenario)
    assert {b"0", b"2"} <= set(bodies_in(tmp_path))


def test_a_drained_log_takes_nothing_and_hands_over_everything(tmp_path: Path) -> None:
    """After `drain` appends are refused as retryable, and `sealed` ends when the last segment is out."""

    async def scenario(log: Log) -> None:
        await log.append(Signal.TRACES, b"request", 3)
        await log.drain()
        with pytest.raises(LogClosed):
            await log.append(Signal.TRACES, b"late", 1)
        assert (await log.sealed(Signal.TRACES)).items == 3
        for signal in Signal:
            with pytest.raises(LogClosed):
                await log.sealed(signal)

    run(tmp_path, scenario)


def test_a_consumer_that_stops_waiting_misses_no_segment(tmp_path: Path) -> None:
    """`sealed` may be cancelled at any time; the segment is there for the next call."""
    run(tmp_path, lambda log: log.append(Signal.TRACES, b"left", 1))

    async def scenario(log: Log) -> None:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(log.sealed(Signal.TRACES), 0)
        assert (await log.sealed(Signal.TRACES)).records == 1

    run(tmp_path, scenario)


def test_left_segments_come_first_in_order_and_in_doubt(tmp_path: Path) -> None:
    """What an earlier process sealed is counted anew and handed over before anything new."""
    limits = LogLimits(segment=SegmentLimits(records=1, age_s=NEVER_S))
    seen: list[Segment] = []

    async def write(log: Log) -> None:
        for n in range(12):
            await log.append(Signal.TRACES, b"%d" % n, n)

    async def scenario(log: Log) -> None:
        await log.append(Signal.TRACES, b"new", 100)
        assert log.size_bytes == sum(path.stat().st_size for path in files_in(tmp_path))
        seen.extend([await log.sealed(Signal.TRACES) for _ in range(13)])

    run(tmp_path, write, limits)
    run(tmp_path, scenario, limits)
    assert [one.items for one in seen] == [*range(12), 100]
    assert [one.in_doubt for one in seen] == [True] * 12 + [False]


def test_a_project_outside_its_alphabet_is_the_callers_error(tmp_path: Path) -> None:
    """It is refused before it could spoil the group it would be written with."""

    async def scenario(log: Log) -> None:
        with pytest.raises(ValueError, match="project"):
            await log.append(Signal.TRACES, b"request", 1, "no such/project")
        assert log.pending_records == 0

    run(tmp_path, scenario)


def test_no_file_stays_open_behind_a_closed_log(tmp_path: Path) -> None:
    """Segments, lock and folder are closed: a service may open and close logs for ever."""

    async def write(log: Log) -> None:
        for signal in Signal:
            await log.append(signal, b"request", 1)

    run(tmp_path, write)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        run(tmp_path, write)
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_is_acknowledged_is_counted_at_every_moment_until_it_is_let_go(tmp_path: Path) -> None:
    """Also while it is being sealed: no turn of the loop sees fewer bytes, or nothing waiting."""

    async def scenario(log: Log) -> None:
        acknowledged = 0

        async def look() -> None:
            while True:
                await asyncio.sleep(0)
                assert log.size_bytes >= acknowledged * 1000
                assert not acknowledged or log.oldest_age_s() > 0

        looking = asyncio.create_task(look())
        for _ in range(100):
            await log.append(Signal.TRACES, bytes(1000), 1)
            acknowledged += 1
        await log.drain()
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking

    run(tmp_path, scenario, LogLimits(segment=SegmentLimits(age_s=0)))


def test_a_confirmed_segment_that_the_disk_keeps_goes_with_the_next_one(tmp_path: Path) -> None:
    """Nobody waits for it any more, and its bytes count until it is gone."""

    async def scenario(log: Log) -> None:
        kept, gone = [await _sealed_alone(log) for _ in range(2)]
        kept.path.unlink()
        kept.path.mkdir()  # what cannot be unlinked
        with pytest.raises(LogUnwritable):
            await log.let_go(kept)
        assert (log.waiting_segments(Signal.TRACES), log.stored_until(Signal.TRACES)) == (1, kept.batch)
        assert log.size_bytes == kept.size_bytes + gone.size_bytes
        kept.path.rmdir()
        await log.let_go(gone)
        assert (log.size_bytes, log.oldest_age_s(), files_in(tmp_path)) == (0, 0.0, [])

    run(tmp_path, scenario, LogLimits(segment=SegmentLimits(records=1)))


async def _sealed_alone(log: Log) -> Segment:
    await log.append(Signal.TRACES, b"request", 1)
    return await log.sealed(Signal.TRACES)
