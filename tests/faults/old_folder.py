"""Data folders as versions have left them: rows, corrections, a deletion, a dead letter, a log with segments.

`python tests/faults/old_folder.py` makes that of this version anew. A released one is never made again: where
it does not open any more, a migration is missing. Before a release tables may change, and it is to be made.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tarfile
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from collector_process import CollectorProcess, sightline_apart, wait_until
from faults.killing import FLAGS
from faults.made import made_folder
from faults.oracle import caught_up, of_judgements, of_two_weeks
from faults.sender import POISON, posted
from remembered_load import SPANS, TRACE

from sightline_collector.store.engine import Engine
from sightline_collector.store.url import DEFAULT_DATABASE, StoreUrl
from sightline_collector.wal.appender import SegmentLimits
from sightline_collector.wal.log import Log, LogLimits
from sightline_collector.wal.segment import Signal

FOLDERS = Path(__file__).parent / "old_folders"
OLD = [f"{number:032x}" for number in range(0xA1, 0xA5)]
"""Traces of the store; the first was delivered twice, the last deleted."""
WAITING = [f"{number:032x}" for number in range(0xB1, 0xB4)]
"""Traces of the log: two in a sealed segment, the last in one that is open."""

_OLD = str(OLD)[1:-1]
ASKED = {
    "traces": "select trace_id, spans, toString(model_calls) as calls, toString(cost_usd) as usd,"
    f" input_tokens, output_tokens from trace_summary where trace_id in ({_OLD}) order by trace_id",
    "corrections": "select why, count() as n, toString(sum(cost_usd)) as usd from cost_corrections"
    f" where trace_id in ({_OLD}) group by why order by why",
    "judgements": "select trace_id, count() as n from feedback"
    f" where trace_id in ({_OLD}) group by trace_id order by trace_id",
    "budgets": "select budget, per, toString(limit_usd) as usd from budget_status order by all",
}
"""What is asked of the store before it is left, and must have the same answer ever after."""


def unpack(archive: Path, into: Path) -> dict[str, list[dict[str, Any]]]:
    """Make a data folder of an archive; what it answered, by the names of ASKED."""
    with tarfile.open(archive) as packed:
        packed.extractall(into, filter="tar")
    answered: dict[str, list[dict[str, Any]]] = json.loads((into / "answered.json").read_text())
    return answered


def main() -> None:
    """Make the folder of this version, and say how large it is."""
    with tempfile.TemporaryDirectory(prefix="sightline-old-") as made:
        folder = made_folder(Path(made) / "data")
        _fill(folder)
        _delete(folder, "delete from spans_v1 where trace_id = {trace:String}", trace=OLD[-1])
        answered = _asked(folder)
        # Prices are half a megabyte, and each start loads those that are in force.
        for table in ("checks", "contexts", "exports", "list", "marginals", "models", "points", "rules"):
            _delete(folder, f"truncate table price_{table}_v1")
        asyncio.run(_leave_segments(folder / "wal"))
        (folder / "answered.json").write_text(json.dumps(answered, indent=1))
        archive = FOLDERS / f"{version('sightline')}.tar.xz"
        _pack(folder, archive)
        print(f"{archive}: {archive.stat().st_size:,} bytes")


def _fill(folder: Path) -> None:
    with CollectorProcess(folder, *FLAGS) as collector:
        collector.start()
        now_ns = time.time_ns()
        traces = [bytes.fromhex(trace) for trace in (OLD[0], *OLD)]
        bodies = [of_two_weeks(now_ns).replace(TRACE, trace) for trace in traces]
        judged = of_judgements(now_ns).replace(TRACE, traces[0])
        for path, body in [*(("traces", body) for body in bodies), ("logs", judged)]:
            assert posted(f"{collector.otlp}/v1/{path}", body).status == 200
        assert posted(f"{collector.otlp}/v1/traces", bodies[0] + POISON).status == 200
        assert sightline_apart("budget", "set", "--usd", "50", "--url", collector.http).returncode == 0
        caught_up(collector)
        redelivered = f"select 1 from cost_corrections where trace_id = '{OLD[0]}'"
        wait_until(lambda: collector.ask(redelivered) != [], 60)
        assert collector.stop() == 0


def _delete(folder: Path, sql: str, **parameters: str) -> None:
    engine = Engine(StoreUrl(folder / "store", "", 0, "", "", DEFAULT_DATABASE, secure=False))
    engine.command(sql, parameters)
    engine.close()


def _asked(folder: Path) -> dict[str, list[dict[str, Any]]]:
    with CollectorProcess(folder, *FLAGS) as collector:
        collector.start()
        answered = {name: collector.ask(sql) for name, sql in ASKED.items()}
        assert all(answered.values()), answered
        assert collector.stop() == 0
        return answered


async def _leave_segments(folder: Path) -> None:
    """As after kill -9: copied while it is written to."""
    log = await Log.open(folder, limits=LogLimits(segment=SegmentLimits(records=2, age_s=3600.0)))
    for trace in WAITING:
        await log.append(
            Signal.TRACES, of_two_weeks(time.time_ns()).replace(TRACE, bytes.fromhex(trace)), SPANS
        )
    left = folder.with_suffix(".left")
    shutil.copytree(folder, left)
    await log.close()
    shutil.rmtree(folder)
    left.rename(folder)


def _pack(folder: Path, archive: Path) -> None:
    """Nothing of whoever has made it."""

    def nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return entry

    archive.parent.mkdir(exist_ok=True)
    with tarfile.open(archive, "w:xz", preset=9) as packed:
        for name in ("wal", "store", "dead-letter", "answered.json"):
            packed.add(folder / name, name, filter=nobodys)


if __name__ == "__main__":
    main()
