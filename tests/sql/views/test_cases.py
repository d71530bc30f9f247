"""Every view answers the given rows with the expected ones."""

from __future__ import annotations

import pytest
import view_cases
from view_cases import Case

from sightline_collector.sql.catalog import Catalog
from sightline_collector.store.engine import Engine

VIEWS = [relation.name for relation in Catalog("any").relations("views")]
ALL = [case for view in view_cases.described() for case in view_cases.load(view)]


@pytest.mark.parametrize("case", ALL, ids=[f"{c.view}: {c.rule}" for c in ALL])
def test_the_given_rows_are_answered_as_expected(engine: Engine, case: Case) -> None:
    """Each case of each view holds on the real engine, whatever the reader's joins say for nothing."""
    case.fill(engine)
    for said in (0, 1):
        answer = engine.rows(f"{case.asked} settings join_use_nulls = {said}")
        assert view_cases.as_expected(answer, case.expect) == list(case.expect)


@pytest.mark.parametrize("view", view_cases.described())
def test_a_view_keeps_its_columns(engine: Engine, view: str) -> None:
    """A view has the columns that its case file promises, in that order: people's queries rest on them."""
    found = engine.rows(f"describe table {view}")
    assert [row["name"] for row in found] == view_cases.columns(view)


def test_every_view_has_a_case() -> None:
    """A view without given and expected rows fails the suite."""
    assert set(VIEWS) - set(view_cases.described()) == set()


def test_every_case_is_of_a_view() -> None:
    """A case file that outlives its view fails the suite."""
    assert set(view_cases.described()) - set(VIEWS) == set()
