"""The demo's queries, on an empty store: what they name exists, and every one has a title."""

import re

import pytest

from sightline_collector.demo.asking import query
from sightline_collector.demo.report import COLUMNS, SHOWN
from sightline_collector.store.engine import Engine

NAMES = [*(name for _, name in SHOWN), "trace_with_a_tool", "one_trace"]


@pytest.mark.parametrize("name", NAMES)
def test_every_query_of_the_report_runs(engine: Engine, name: str) -> None:
    """A view or column that is gone fails here, before anybody runs the demo."""
    assert engine.rows(query(name)) == []


@pytest.mark.parametrize(("view", "name"), SHOWN)
def test_every_query_reads_the_view_whose_name_stands_above_it(view: str, name: str) -> None:
    """The name on the screen is the one to ask for."""
    assert re.search(rf"\bfrom {view}\b", query(name))


@pytest.mark.parametrize("name", NAMES)
def test_every_query_can_be_shown_and_typed_again(name: str) -> None:
    """A statement is a few lines that fit the screen, without a comment, and renames no view's column."""
    _, *lines = query(name).splitlines()
    assert len(lines) <= 5
    assert max(map(len, lines)) <= COLUMNS - 2
    assert "--" not in "".join(lines)
    assert re.findall(r"(?:select|,)\s+(\w+) as (\w+)", query(name)) == []


@pytest.mark.parametrize(("view", "name"), [*SHOWN, ("spans", "one_trace")])
def test_every_query_begins_with_what_it_shows(view: str, name: str) -> None:
    """The first line is the title on the screen, and stands there in one line with the view's name."""
    title = query(name).splitlines()[0]
    assert title.startswith("-- ")
    assert len(f"{view}  {title.removeprefix('-- ')}") <= COLUMNS
