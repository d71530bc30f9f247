"""The stages of a request's way, of a start and of upkeep, as the calls at which a collector is killed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faults.moment import Moment


@dataclass(frozen=True, slots=True)
class Stage:
    """A moment, and what is done to reach it: `load`, `start`, `stop`, `backup`, `body`.

    In `pattern` `{table}` is where a table's parts lie; `nth` is which of the calls it is.
    """

    name: str
    reached_by: str
    kind: str
    when: str
    pattern: str
    nth: int = 1

    def moment(self, folder: Path) -> Moment:
        """As the tracer takes it, on a folder whose store has been made."""
        return Moment(self.kind, self.when, _in_folder(self.pattern, folder), self.nth)


OPEN, SEALED = r"/wal/\w+-\d+\.open", r"/wal/\w+-\d+\.segment"
NEW_SPANS, NEW_LOGS, NEW_JUDGEMENTS = (
    f"{{{table}}}/tmp_insert_" for table in ("spans_v1", "logs_v1", "feedback_v1")
)

STAGES = (
    Stage("receive: within a body", "body", "mkdir", "before", "no call, but a connection"),
    Stage("log: file made, its name not synced", "load", "open", "after", OPEN),
    Stage("log: before the write", "load", "write", "before", OPEN),
    Stage("log: written, not synced", "load", "sync", "before", OPEN),
    Stage("log: synced, not acknowledged", "load", "sync", "after", OPEN, 5),
    Stage("log: before the segment is sealed", "load", "rename", "before", SEALED),
    Stage("log: sealed, not handed over", "load", "rename", "after", SEALED),
    Stage("store: a part's first bytes", "load", "write", "before", NEW_SPANS),
    Stage("store: within a part", "load", "write", "before", NEW_SPANS, 9),
    Stage("store: a part is not synced", "load", "sync", "before", NEW_SPANS),
    Stage("store: before the part's rename", "load", "rename", "before", NEW_SPANS),
    Stage("store: between two parts' renames", "load", "rename", "after", NEW_SPANS),
    Stage("repair: before short rows are deleted", "start", "rename", "before", "{spans_v1}/tmp_mut"),
    Stage("repair: short rows deleted, not inserted", "start", "rename", "after", "{spans_v1}/tmp_mut"),
    Stage("store: both parts renamed", "load", "rename", "after", NEW_SPANS, 2),
    Stage("store: logs, before the rename", "load", "rename", "before", NEW_LOGS),
    Stage("store: logs, before the judgements' rename", "load", "rename", "before", NEW_JUDGEMENTS),
    Stage("store: logs, after the judgements' rename", "load", "rename", "after", NEW_JUDGEMENTS),
    Stage("log: stored, not let go", "load", "unlink", "before", SEALED),
    Stage("log: let go", "load", "unlink", "after", SEALED),
    Stage("merge: within a part", "load", "write", "before", "{spans_v1}/tmp_merge_", 20),
    Stage("merge: before the rename", "load", "rename", "before", "{spans_v1}/tmp_merge_"),
    Stage("merge: renamed", "load", "rename", "after", "{spans_v1}/tmp_merge_"),
    Stage("repair: before a left file is sealed", "start", "rename", "before", SEALED),
    Stage("repair: before the counter's rename", "start", "rename", "before", "/wal/next-batch"),
    Stage("settlement: before its corrections", "load", "rename", "before", "{settlements_v1}/tmp_insert_"),
    Stage("settlement: written", "load", "rename", "after", "{settlements_v1}/tmp_insert_"),
    Stage("backup: within the log's links", "backup", "link", "before", "/snapshots/"),
    Stage("backup: within the store's links", "backup", "link", "before", "/shadow/", 40),
    Stage("stop: while it drains", "stop", "unlink", "before", SEALED),
)
"""On a store that is made. Each is passed once by a round of `python -m tests.faults kills`."""

MIGRATION = tuple(
    Stage(f"migration: {kind} {nth}", "start", kind, "before", "/store/(metadata|store)/", nth)
    for kind, nth in (
        ("rename", 1),
        ("rename", 12),
        ("rename", 60),
        ("write", 150),
    )
)
"""On a folder that is not: each start goes on with what the one before has left."""


def _in_folder(pattern: str, folder: Path) -> str:
    tables = folder / "store" / "data" / "sightline"
    for table in tables.iterdir() if tables.exists() else ():
        pattern = pattern.replace(f"{{{table.name}}}", table.readlink().name)
    return pattern
