"""The Grafana overview: its JSON is what its code says, and every panel's query runs."""

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sightline_collector.sql.catalog import Catalog
from sightline_collector.store.engine import Engine

FOLDER = Path(__file__).parents[2] / "dashboards"
STORED: dict[str, Any] = json.loads((FOLDER / "overview.json").read_text())
PANELS = [panel for panel in STORED["panels"] if panel["type"] != "row"]
VIEWS = {relation.name for relation in Catalog("sightline").relations("views")}
NUMBER = re.compile(r"U?Int|Float|Decimal")
MACROS = (
    (r"\$__fromTime", "(now('UTC') - interval 7 day)"),
    (r"\$__toTime", "now('UTC')"),
    (r"\$__timeInterval\((\w+)\)", r"toStartOfInterval(toDateTime(\1), interval 3600 second)"),
    (r"\$__timeFilter\((\w+)\)", r"(\1 >= now('UTC') - interval 7 day and \1 <= now('UTC'))"),
    (r"\$\{project:sqlstring\}", "'default'"),
)


def query_of(panel: dict[str, Any]) -> str:
    """The panel's query as Grafana sends it, with macros and variables replaced."""
    (target,) = panel["targets"]
    sql: str = target["rawSql"]
    for macro, text in MACROS:
        sql = re.sub(macro, text, sql)
    assert "$" not in sql, f"a macro that this test does not know: {sql}"
    return sql


@pytest.fixture
def overview() -> Iterator[Any]:
    """The dashboard's module, imported as its command runs it: from its own folder."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield importlib.import_module("overview")
    finally:
        sys.path.remove(str(FOLDER))
        for name in ("overview", "panels"):
            sys.modules.pop(name, None)


def test_the_json_that_is_checked_in_is_what_the_code_makes(overview: Any) -> None:
    """Whoever changes a panel runs `python dashboards/overview.py`."""
    assert json.loads(overview.text()) == STORED


@pytest.mark.parametrize("panel", PANELS, ids=[panel["title"] for panel in PANELS])
def test_every_query_runs_on_the_engine(engine: Engine, panel: dict[str, Any]) -> None:
    """A panel that names a column or a view that is gone fails here, not on the wall; what is drawn
    has a number, and over time a time."""
    query = query_of(panel)
    types = [str(row["type"]) for row in engine.rows(f"describe ({query})")]
    engine.rows(query)
    assert types != []
    if panel["type"] != "table":
        assert [each for each in types if NUMBER.search(each)] != []
    if panel["type"] == "timeseries":
        assert types[0].startswith("DateTime")


@pytest.mark.parametrize("panel", PANELS, ids=[panel["title"] for panel in PANELS])
def test_panels_read_views_only(panel: dict[str, Any]) -> None:
    """Tables are private; what follows from and join is the name of a view."""
    read = set(re.findall(r"\b(?:from|join)\s+(\w+)", panel["targets"][0]["rawSql"]))
    assert read
    assert read <= VIEWS


def test_every_panel_says_what_it_shows_and_in_which_unit() -> None:
    """A number without a unit or a scope is a riddle."""
    assert [panel["title"] for panel in PANELS if not panel["description"]] == []
    assert [panel["title"] for panel in PANELS if not panel["fieldConfig"]["defaults"]["unit"]] == []


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    """Each cell of the grid belongs to one panel at most, and none lies outside of it."""
    ids = [panel["id"] for panel in STORED["panels"]]
    assert len(set(ids)) == len(ids)
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in STORED["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert {x for x, _ in taken} <= set(range(24))


def test_the_data_source_is_the_one_that_deploy_provisions() -> None:
    """The dashboard's variable finds Grafana's ClickHouse plugin, whose source deploy/ sets up."""
    provisioned = yaml.safe_load((FOLDER.parent / "deploy" / "grafana" / "datasource.yaml").read_text())
    (variable,) = [v for v in STORED["templating"]["list"] if v["type"] == "datasource"]
    assert variable["query"] == provisioned["datasources"][0]["type"]
