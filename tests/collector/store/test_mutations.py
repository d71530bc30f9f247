"""Changes of rows: done when they are said to be, taken back when they cannot be."""

from __future__ import annotations

import pytest

from sightline_collector.errors import StoreRefused
from sightline_collector.store import mutations
from sightline_collector.store.engine import Engine
from sightline_collector.store.mutations import mutate

FAILS = "update comment = 'no' where throwIf(feedback_id = 'a')"
LASTS = "update comment = 'no' where sleepEachRow(1) = 0"


def comments(engine: Engine) -> list[str]:
    """Those of all rows."""
    return [row["comment"] for row in engine.rows("select comment from feedback_v1 order by feedback_id")]


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """A row each of two tables."""
    engine.command("truncate table feedback_v1")
    engine.insert("feedback_v1", [{"feedback_id": "a", "comment": "well"}])
    return engine


def test_every_table_is_changed_when_it_returns(filled: Engine) -> None:
    """Whoever reads then reads the new rows."""
    mutate(filled, {"feedback_v1": "update comment = 'better' where 1", "logs_v1": "delete where 1"})
    assert comments(filled) == ["better"]


@pytest.mark.parametrize(
    ("change", "limit_s", "why"),
    [(FAILS, 3600.0, "Value passed to 'throwIf'"), (LASTS, 0.0, "too long")],
    ids=["fails", "lasts"],
)
def test_what_cannot_be_done_is_taken_back_and_told(
    filled: Engine, monkeypatch: pytest.MonkeyPatch, change: str, limit_s: float, why: str
) -> None:
    """Rows stay as they are, and what is said to the table next does not wait behind it."""
    monkeypatch.setattr(mutations, "MUTATION_S", limit_s)
    with pytest.raises(StoreRefused, match=why):
        mutate(filled, {"feedback_v1": change})
    assert comments(filled) == ["well"]
    monkeypatch.setattr(mutations, "MUTATION_S", 60.0)
    mutate(filled, {"feedback_v1": "update comment = 'better' where 1"})
    assert comments(filled) == ["better"]
