"""What the log promises: acknowledged is on disk, and segments come out whole and in order."""

import asyncio
import os
from pathlib import Path

import pytest
from collector.wal.opened_log import NEVER_S, SLOW, bodies_in, files_in, records_of, run

from sightline_collector.errors import LogClosed
from sightline_collector.wal.appender import Segment, SegmentLimits
from sightline_collector.wal.log import Log, LogLimits
from sightline_collector.wal.segment import Signal
from sightline_collector.wal.watcher import Quiet


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


def test_what_came_before_is_held_until_it_is_let_go_whatever_the_clock_says(tmp_path: Path) -> None:
    """A clock that was set back makes nothing that waits seem stored, nor what comes later seem to wait."""

    async def scenario() -> None:
        clock = iter(range(10**19, 0, -(10**18))).__next__
        log = await Log.open(tmp_path, limits=LogLimits(segment=SegmentLimits(records=1)), clock_ns=clock)
        await log.append(Signal.TRACES, b"request", 1)
        until = log.last_batch
        await log.append(Signal.TRACES, b"a later one", 1)
        assert (log.holds(until - 1), log.holds(until), log.oldest_age_s() > 0) == (False, True, True)
        await log.let_go(await log.sealed(Signal.TRACES))
        assert (log.holds(until), log.holds(log.last_batch)) == (False, True)
        await log.close()

    asyncio.run(scenario())


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
