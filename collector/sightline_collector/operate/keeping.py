"""How long things are kept: days read from a setting, and the TTLs that say it to the engine. Pure.

Content (what people and models wrote) may go earlier than the rows that say what a call cost. A day is kept
or gone as a whole: what began on it goes once the days after it are over, so that the engine rewrites a part
once a day and not all the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sightline_collector.sql.catalog import quoted
from sightline_collector.wal.segment import PROJECT

DAYS_MAX = 3650
FOR_EVER = "forever"
NEVER = "toDateTime('2106-01-01 00:00:00', 'UTC')"
"""The last year that the engine can count an expiry in."""


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many days, None for ever: in the projects that are named, and in all others."""

    days: int | None
    projects: tuple[tuple[str, int | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """A table whose rows grow old: its column of time, and its columns of content."""

    table: str
    time: str
    content: tuple[str, ...] = ()


KEPT = (
    Kept("spans_v1", "started_at", ("input", "output", "events")),
    Kept("logs_v1", "at", ("body", "attributes", "attribute_types")),
    Kept("feedback_v1", "at", ("comment", "correction")),
    Kept("metrics_v1", "at"),
    Kept("losses_v1", "at"),
)
"""What is kept for a time. Prices, budgets, alerts and baselines are kept for ever: they are small."""


def parse_keep(text: str) -> Keep:
    """Reads `30`, `30,shop=7` or `forever,shop=7`. Raises ValueError that says what it may be."""
    days: int | None = None
    projects: dict[str, int | None] = {}
    for place, part in enumerate(one.strip() for one in text.split(",")):
        project, equals, value = part.rpartition("=")
        if equals and PROJECT.match(project):
            projects[project] = _days(value)
        elif place == 0 and not equals:
            days = _days(value)
        else:
            raise ValueError(f"{part!r} is neither days, at the beginning, nor project=days")
    return Keep(days, tuple(sorted(projects.items())))


def _days(text: str) -> int | None:
    if text.strip() == FOR_EVER:
        return None
    if not re.fullmatch(r"\d{1,4}", text.strip()) or not 1 <= int(text) <= DAYS_MAX:
        raise ValueError(f"{text!r} must be days, 1 to {DAYS_MAX}, or {FOR_EVER}")
    return int(text)


def expiry(keep: Keep | None, time: str) -> str | None:
    """When a row's time is over, as an expression spelled as the engine spells it; None when it never is."""
    if keep is None or not any([keep.days, *(days for _, days in keep.projects)]):
        return None

    def after(days: int | None) -> str:
        return NEVER if days is None else f"addDays(toDateTime(toStartOfDay({time})), {days + 1})"

    if not keep.projects:
        return after(keep.days)
    cases = "".join(f"project = {quoted(project)}, {after(days)}, " for project, days in keep.projects)
    return f"multiIf({cases}{after(keep.days)})"


def changes(kept: Kept, statement: str, content: Keep | None, rows: Keep | None) -> Iterator[str]:
    """What ALTER TABLE has to be told so that a table, made by `statement`, keeps things so long."""
    wanted = expiry(content, kept.time)
    for column in kept.content:
        if column_ttl(statement, column) != wanted:
            yield f"modify column {column} " + (f"ttl {wanted}" if wanted else "remove ttl")
    wanted = expiry(rows, kept.time)
    if row_ttl(statement) != wanted:
        yield f"modify ttl {wanted}" if wanted else "remove ttl"


def column_ttl(statement: str, column: str) -> str | None:
    """A column's TTL in a CREATE TABLE as the engine spells it."""
    found = re.search(rf"`{column}` [^`]*? TTL (.*?)(?=, `|, INDEX |, PROJECTION |\) ENGINE)", statement)
    return found[1] if found else None


def row_ttl(statement: str) -> str | None:
    """The rows' TTL in a CREATE TABLE as the engine spells it."""
    found = re.search(r"\) ENGINE = .*? TTL (.*?) SETTINGS ", statement)
    return found[1] if found else None
