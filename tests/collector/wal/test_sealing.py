"""When a segment ends, and what number it has: no number is ever used twice."""

import asyncio
from pathlib import Path

import pytest
from collector.wal.opened_log import NEVER_S, SLOW, bodies_in, files_in, records_of, run

from sightline_collector.wal import segment
from sightline_collector.wal.appender import SegmentLimits
from sightline_collector.wal.log import Log, LogLimits
from sightline_collector.wal.segment import Signal


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
