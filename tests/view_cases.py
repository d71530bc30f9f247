"""Given/expect cases of views: one YAML file a view, beside the tests that run them.

A file says the view's columns in order and a list of cases: the rule it shows, the rows that the tables
hold (columns that do not matter are left out), and the rows that come back. Expected rows name the columns
that matter; `asked` replaces the query, which otherwise is the whole view.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from sightline_collector.store.engine import Engine

CASES = Path(__file__).parent / "sql" / "views" / "cases"

DEFAULTS: dict[str, dict[str, Any]] = {
    "spans_v1": {"project": "default", "started_at": "2026-10-01 12:00:00", "trace_id": "a" * 32},
    "feedback_v1": {"project": "default", "at": "2026-10-01 12:00:00"},
    "losses_v1": {"project": "default", "at": "2026-10-01 12:00:00"},
    "logs_v1": {"project": "default", "at": "2026-10-01 12:00:00"},
    "metrics_v1": {"project": "default", "at": "2026-10-01 12:00:00"},
}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One rule of one view, with the rows that show it."""

    view: str
    rule: str
    given: Mapping[str, Sequence[Row]]
    asked: str
    expect: Sequence[Row]

    def fill(self, engine: Engine) -> None:
        """Put the given rows, and nothing else, into the tables that any case names."""
        for table in sorted(TABLES):
            engine.command(f"truncate table {table}")
        for table, rows in self.given.items():
            whole = [DEFAULTS.get(table, {}) | _whole(table, row) for row in rows]
            # A server has defaults for what all rows of an insert leave out, and for nothing else.
            for _, alike in groupby(whole, lambda row: engine.embedded or frozenset(row)):
                engine.insert(table, list(alike))


def _whole(table: str, row: Row) -> Row:
    """The row as the ingest would write it: a priced span says so unless the case says otherwise."""
    priced = table == "spans_v1" and "cost_usd" in row and "cost_status" not in row
    return row | {"cost_status": "priced"} if priced else row


def load(view: str) -> list[Case]:
    """The cases of one view. Raises FileNotFoundError when it has none."""
    return [
        Case(view, c["rule"], c["given"], c.get("asked", f"select * from {view}"), c["expect"] or [])
        for c in _file(view)["cases"]
    ]


def columns(view: str) -> list[str]:
    """The columns that the view's file promises, in order."""
    return list(_file(view)["columns"])


@cache
def _file(view: str) -> Any:
    return read_cases(CASES / f"{view}.yaml")


def read_cases(file: Path) -> Any:
    """What a YAML file says. Every test process reads all cases, so they are read by libyaml where it is
    there: in a tenth of the time."""
    return yaml.load(file.read_text("utf8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


def described() -> list[str]:
    """The names of the views that have cases."""
    return sorted(file.stem for file in CASES.glob("*.yaml"))


TABLES = {table for view in described() for case in load(view) for table in case.given}


def as_expected(actual: Sequence[Row], expect: Sequence[Row]) -> list[Row]:
    """The answer, reduced to the expected columns, with equal values in the expected spelling."""
    return [
        {key: _spelled(row.get(key, "no such column"), wanted.get(key)) for key in wanted or row}
        for row, wanted in zip(actual, [*expect, *[{}] * len(actual)], strict=False)
    ]


def _spelled(actual: Any, expected: Any) -> Any:
    return expected if _same(actual, expected) else actual


def _same(actual: Any, expected: Any) -> bool:
    if actual is None or expected is None:
        return actual is expected
    if isinstance(actual, Decimal):
        return actual == Decimal(str(expected))
    if isinstance(actual, float):
        return math.isclose(actual, float(expected), rel_tol=1e-6, abs_tol=1e-9)
    if isinstance(actual, date):
        return str(actual) == str(expected)
    if isinstance(actual, dict):
        return actual.keys() == expected.keys() and all(_same(v, expected[k]) for k, v in actual.items())
    return bool(actual == expected)
