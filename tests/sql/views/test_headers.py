"""Every view's file begins with what it is: grain, units, what it reads, who reads it."""

from __future__ import annotations

import re

import pytest

from sightline_collector.sql.catalog import Catalog, Relation, reads

CATALOG = Catalog("any")
VIEWS = CATALOG.relations("views")
STORED = [
    relation
    for folder in ("tables", "ingest", "dictionaries", "views")
    for relation in CATALOG.relations(folder)
]
FIELDS = ("Grain", "Units", "Reads", "Served by", "Readers")

each_view = pytest.mark.parametrize("view", VIEWS, ids=[v.name for v in VIEWS])


def said(view: Relation, field: str) -> str:
    """What the header says under a field, on one line; '' when it does not."""
    header = " ".join(line.lstrip("- ") for line in view.header.splitlines())
    found = re.search(rf"{field}: (.*?)(?= (?:{'|'.join(FIELDS)}): |$)", header)
    return found[1].strip(" .") if found else ""


def _relations(text: str) -> set[str]:
    """Those words of a text that are names of relations."""
    return {relation.name for relation in STORED} & set(re.findall(r"\w+", text))


@each_view
def test_a_header_says_grain_units_sources_and_readers(view: Relation) -> None:
    """A view's file says its grain, its units, what it reads and who reads it."""
    assert [field for field in ("Grain", "Units", "Reads", "Readers") if not said(view, field)] == []


@each_view
def test_a_header_names_what_the_query_reads(view: Relation) -> None:
    """What a header says it reads exists, and the query reads it."""
    named = _relations(said(view, "Reads"))
    assert named
    assert named - reads(view, STORED) == set()


@each_view
def test_a_query_reads_only_what_the_header_names(view: Relation) -> None:
    """What stands behind a from or a join is named in the header, or is a step of the query itself."""
    steps = set(re.findall(r"(\w+) as \(", view.body))
    sources = _relations(" ".join(re.findall(r"\b(?:from|join) (\w+)", view.body)))
    assert sources - steps - _relations(said(view, "Reads")) == set()


@each_view
def test_a_file_holds_the_view_of_its_name(view: Relation) -> None:
    """One file is one view, and its name is the view's."""
    assert view.body.startswith(f"create or replace view {view.name} as")
