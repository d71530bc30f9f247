"""Erases a subject's rows from every stored table, and waits until the engine has let the old files go.

A deletion writes parts anew without the rows; the old parts lie on disk for some minutes more, against a
power cut. While an erasure runs they go at once, and what is written anew is synced instead.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from sightline_collector.access.subject import SPANS, WITHOUT_USERS, Subject
from sightline_collector.errors import StoreRefused
from sightline_collector.sql.catalog import Catalog, quoted
from sightline_collector.store.engine import Engine

ROUNDS = 3
"""Settlement may write a correction of a span that is being erased: the next round has it."""
MUTATION_S = 3600.0
OLD_PARTS_S = 300.0
POLL_S = 0.2
NUDGE_S = 12.0
"""More often, and the engine is busy with nudges instead of old parts."""

AT_ONCE = {
    "old_parts_lifetime": 1,
    "min_rows_to_fsync_after_merge": 1,
    "min_compressed_bytes_to_fsync_after_merge": 1,
}

_KEYS = "select distinct key from dialects_v1 where column = 'user' order by key"
_UNDONE = """
select count() as undone, anyIf(latest_fail_reason, latest_fail_reason != '') as why from system.mutations
where database = currentDatabase() and not is_done and table in {tables:Array(String)}
"""
_OLD = """
select table, name from system.parts
where database = currentDatabase() and not active and table in {tables:Array(String)}
"""


@dataclass(frozen=True, slots=True)
class Erased:
    """One table: its rows before, those of the subject, and those of theirs that are left."""

    table: str
    rows_before: int
    erased: int
    left: int


def known(engine: Engine, user: str, session: str) -> Subject:
    """The subject, with the traces that name them and the attributes that may."""
    keys = tuple(sorted({"user.id", *(str(row["key"]) for row in engine.rows(_KEYS))}))
    subject = Subject(user, session, keys)
    own = next(subject.steps())[SPANS]
    sql = f"select distinct trace_id from {SPANS} where {own} and trace_id != ''"  # noqa: S608
    return replace(subject, traces=frozenset(str(row["trace_id"]) for row in engine.rows(sql)))


def tables() -> list[str]:
    """Stored tables that may hold a user's rows."""
    names = (relation.name for relation in Catalog("").relations("tables"))
    return sorted(name for name in names if not name.startswith(WITHOUT_USERS))


def erase(engine: Engine, subject: Subject, pause: Callable[[float], None] = time.sleep) -> list[Erased]:
    """Erases and counts. Raises StoreRefused, StoreUnreachable; what was erased until then is gone."""
    held = {table: int(engine.value(f"select count() from {table}") or 0) for table in tables()}  # noqa: S608
    erased: Counter[str] = Counter()
    for _ in range(ROUNDS):
        gone = _round(engine, subject, erased.keys(), pause)
        if not gone:
            break
        erased += gone
    try:
        _wait_for_old_parts(engine, _old_parts(engine, erased), pause)
    finally:
        for table in sorted(erased):
            engine.command(f"alter table {table} reset setting {', '.join(AT_ONCE)}")
    left: Counter[str] = Counter()
    for step in subject.steps():
        left += _found(engine, step)
    return [Erased(table, held[table], erased[table], left[table]) for table in held]


def _round(
    engine: Engine, subject: Subject, changed: Collection[str], pause: Callable[[float], None]
) -> Counter[str]:
    """Each step once, the next when the one before is done: rows by table."""
    gone: Counter[str] = Counter()
    for step, hashed in zip(subject.steps(), subject.steps(secrets.token_hex(16)), strict=True):
        found = _found(engine, step)
        _let_old_parts_go(engine, found.keys() - gone.keys() - set(changed))
        for table in found:
            engine.command(f"alter table {table} delete where {hashed[table]} settings mutations_sync = 0")
        _wait(engine, sorted(found), pause)
        gone += found
    return gone


def _found(engine: Engine, step: Mapping[str, str]) -> Counter[str]:
    """Rows that a step would erase, by table."""
    counts = Counter[str]()
    for table, condition in step.items():
        counts[table] = int(engine.value(f"select count() from {table} where {condition}") or 0)  # noqa: S608
    return +counts


def _let_old_parts_go(engine: Engine, changed: Iterable[str]) -> None:
    settings = ", ".join(f"{name} = {value}" for name, value in AT_ONCE.items())
    for table in sorted(changed):
        engine.command(f"alter table {table} modify setting {settings}")


def _wait(engine: Engine, changed: list[str], pause: Callable[[float], None]) -> None:
    """Until the engine has written its parts anew. Raises StoreRefused when it cannot."""
    give_up_s = time.monotonic() + MUTATION_S
    while (found := engine.rows(_UNDONE, {"tables": changed})[0])["undone"]:
        if found["why"] or time.monotonic() > give_up_s:
            for table in changed:
                engine.command(
                    "kill mutation where database = currentDatabase() and not is_done"
                    f" and table = {quoted(table)}"
                )
            why = found["why"] or "it took too long"
            raise StoreRefused(f"rows could not be erased ({why[:200]})", hint="free disk space, ask again")
        pause(POLL_S)


def _wait_for_old_parts(engine: Engine, old: set[tuple[str, str]], pause: Callable[[float], None]) -> None:
    """Until what held the rows is no longer on disk; for a while only: the search tells what is left."""
    give_up_s = time.monotonic() + OLD_PARTS_S
    nudge_s = time.monotonic() + NUDGE_S
    changed = {table for table, _ in old}
    while (left := old & _old_parts(engine, changed)) and time.monotonic() < give_up_s:
        if time.monotonic() > nudge_s:
            nudge_s = time.monotonic() + NUDGE_S
            for table in sorted({table for table, _ in left}):
                # An engine without work looks for old parts ever more seldom; one that had some does so soon.
                engine.command(f"alter table {table} delete where 0 settings mutations_sync = 0")
        pause(POLL_S)


def _old_parts(engine: Engine, changed: Iterable[str]) -> set[tuple[str, str]]:
    """Tables and names of parts that others have replaced."""
    rows = engine.rows(_OLD, {"tables": sorted(changed)})
    return {(str(row["table"]), str(row["name"])) for row in rows}
