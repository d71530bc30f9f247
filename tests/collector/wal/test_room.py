"""The log's room is bounded, counted at every moment, and free again when a segment is let go."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from collector.wal.opened_log import NEVER_S, bodies_in, files_in, records_of, run

from sightline_collector.errors import LogFull, LogUnwritable
from sightline_collector.wal.appender import Segment, SegmentLimits
from sightline_collector.wal.log import Log, LogLimits
from sightline_collector.wal.segment import Signal


@contextmanager
def file_size_limit(size_bytes: int) -> Iterator[None]:
    """The operating system refuses to make any file larger: a disk that is full, for this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


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
