"""kill -9 at a moment of nobody's choosing: what was acknowledged is found again, once."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from sightline_collector.errors import LogClosed
from sightline_collector.wal import segment
from sightline_collector.wal.log import Log
from sightline_collector.wal.segment import Signal

# Sixteen writers append numbered records to all signals and print each number once it is acknowledged.
WRITE = """
import asyncio, itertools, os, pathlib, sys
from sightline_collector.wal.appender import SegmentLimits
from sightline_collector.wal.log import Log, LogLimits
from sightline_collector.wal.segment import Signal

async def main():
    limits = LogLimits(segment=SegmentLimits(size_bytes=200_000, age_s=0.02))
    log = await Log.open(pathlib.Path(sys.argv[1]), limits=limits)
    numbers = itertools.count(int(sys.argv[2]))
    async def write(signal):
        for number in numbers:
            await log.append(signal, b"%020d" % number + os.urandom(number % 3000), 1)
            os.write(1, b"%020d\\n" % number)
    signals = itertools.cycle(Signal)
    await asyncio.gather(*(write(next(signals)) for _ in range(16)))

asyncio.run(main())
"""


def write_until_killed(folder: Path, first: int, acknowledged: int) -> set[bytes]:
    """Lets a process append until it acknowledged so many records, kills it, returns all it acknowledged."""
    process = subprocess.Popen([sys.executable, "-c", WRITE, str(folder), str(first)], stdout=subprocess.PIPE)
    with process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(acknowledged)]
        process.kill()
        lines += process.stdout.readlines()
    return {line.strip() for line in lines if line.endswith(b"\n")}


async def recovered(folder: Path) -> list[bytes]:
    """The numbers of all records that a new start hands over, signal by signal."""
    log = await Log.open(folder)
    await log.drain()
    numbers = []
    for signal in Signal:
        while True:
            try:
                sealed = await log.sealed(signal)
            except LogClosed:
                break
            content = sealed.path.read_bytes()
            found = segment.records(content, sealed.batch)
            assert sum(one.end - one.start for one in found) == len(content)
            numbers += [bytes(one.body(content))[:20] for one in found]
    await log.close()
    return numbers


@pytest.mark.parametrize("counts", [(1, 40), (300, 7), (1200, 500), (90, 1900)])
def test_every_acknowledged_record_survives_kills_of_the_process(
    tmp_path: Path, counts: tuple[int, int]
) -> None:
    """Killed twice over on one folder, the next start hands over all that was acknowledged, none twice."""
    acknowledged = write_until_killed(tmp_path, 0, counts[0])
    acknowledged |= write_until_killed(tmp_path, 10**9, counts[1])
    found = asyncio.run(recovered(tmp_path))
    assert acknowledged <= set(found)
    assert len(found) == len(set(found))
