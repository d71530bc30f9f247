"""Erases a subject's rows from every stored table."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sightline_collector.access.rewriting import Rewriting
from sightline_collector.access.spelling import spellings
from sightline_collector.access.subject import SPANS, TRACES_AT_ONCE, WITHOUT_USERS, Subject
from sightline_collector.sql.catalog import Catalog, quoted
from sightline_collector.store.engine import Engine

ROUNDS = 3
"""Settlement may write a correction of a span that is being erased: the next round has it."""
_KEYS = "select distinct key from dialects_v1 where column = 'user' order by key"


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
    subject = Subject(user, session, keys, values=spellings(engine, user))
    own = next(subject.steps())[SPANS]
    sql = f"select distinct trace_id from {SPANS} where {own} and trace_id != ''"  # noqa: S608
    return replace(subject, traces=frozenset(str(row["trace_id"]) for row in engine.rows(sql)))


def tables() -> list[str]:
    """Stored tables that may hold a user's rows."""
    names = (relation.name for relation in Catalog("").relations("tables"))
    return sorted(name for name in names if not name.startswith(WITHOUT_USERS))


def erase(engine: Engine, subject: Subject, work: Rewriting) -> list[Erased]:
    """Erases and counts. Raises StoreRefused, StoreUnreachable; what was erased until then is gone."""
    held = {table: int(engine.value(f"select count() from {table}") or 0) for table in tables()}  # noqa: S608
    erased: Counter[str] = Counter()
    for _ in range(ROUNDS):
        gone = _round(engine, list(subject.steps()), list(subject.steps(secrets.token_hex(16))), work)
        if not gone:
            break
        erased += gone
    own = replace(subject, traces=subject.traces - of_others(engine, subject.traces))
    erased += _round(engine, list(own.told()), list(own.told(secrets.token_hex(16))), work)
    left: Counter[str] = Counter()
    for step in (*subject.steps(), *own.told()):
        left += _found(engine, step)
    return [Erased(table, held[table], erased[table], left[table]) for table in held]


def of_others(engine: Engine, traces: Collection[str]) -> frozenset[str]:
    """Those of the traces that others have a part in: their ids are not the subject's alone."""
    ids = sorted(traces)
    found: set[str] = set()
    for start in range(0, len(ids), TRACES_AT_ONCE):
        some = ", ".join(map(quoted, ids[start : start + TRACES_AT_ONCE]))
        for table in (SPANS, "logs_v1", "feedback_v1"):
            sql = f"select distinct trace_id from {table} where trace_id in ({some})"  # noqa: S608
            found |= {str(row["trace_id"]) for row in engine.rows(sql)}
    return frozenset(found)


def _round(
    engine: Engine, steps: Sequence[Mapping[str, str]], hashed: Sequence[Mapping[str, str]], work: Rewriting
) -> Counter[str]:
    """Each step once, the next when the one before is done: rows by table."""
    gone: Counter[str] = Counter()
    for step, said in zip(steps, hashed, strict=True):
        found = _found(engine, step)
        work.say({table: f"delete where {said[table]}" for table in found})
        gone += found
    return gone


def _found(engine: Engine, step: Mapping[str, str]) -> Counter[str]:
    """Rows that a step would erase, by table."""
    counts = Counter[str]()
    for table, condition in step.items():
        counts[table] = int(engine.value(f"select count() from {table} where {condition}") or 0)  # noqa: S608
    return +counts
