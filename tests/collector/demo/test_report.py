"""The demo's queries, on an empty store: what they name exists, and every one has a title."""

import pytest

from sightline_collector.demo.asking import query
from sightline_collector.demo.report import SHOWN
from sightline_collector.store.engine import Engine

NAMES = [*(name for _, name in SHOWN), "one_trace"]


@pytest.mark.parametrize("name", NAMES)
def test_every_query_of_the_report_runs(engine: Engine, name: str) -> None:
    """A view or column that is gone fails here, before anybody runs the demo."""
    assert engine.rows(query(name)) == []


@pytest.mark.parametrize(("view", "name"), SHOWN)
def test_every_query_reads_the_view_whose_name_stands_above_it(view: str, name: str) -> None:
    """The name on the screen is the one to ask for."""
    assert f"from {view}\n" in query(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_query_begins_with_what_it_shows(name: str) -> None:
    """The first line is the title on the screen, short enough for it."""
    title = query(name).splitlines()[0]
    assert title.startswith("-- ")
    assert len(title) < 90
