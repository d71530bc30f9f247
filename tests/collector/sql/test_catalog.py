"""What the SQL catalog promises."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sightline_collector.sql import catalog
from sightline_collector.sql.catalog import DERIVED, Catalog, Relation, in_order, reads

CATALOG = Catalog("somewhere")
ALL = [r for folder in ("tables", *DERIVED) for r in CATALOG.relations(folder)]
STEPS = CATALOG.relations("steps")


@pytest.mark.parametrize("relation", ALL, ids=lambda r: f"{r.folder}/{r.name}")
def test_a_file_makes_the_relation_it_is_named_after(relation: Relation) -> None:
    """One file is one relation, and its name is the relation's name."""
    first = relation.body.split("\n")[0].replace("(", " ").split()
    assert relation.name in first


@pytest.mark.parametrize("relation", [*ALL, *STEPS], ids=lambda r: f"{r.folder}/{r.name}")
def test_a_header_says_what_the_relation_is(relation: Relation) -> None:
    """Every file opens with a comment; whoever reads other relations names all of them under reads."""
    assert relation.header.startswith("-- ")
    said = set(relation.header.lower().replace(",", " ").replace(".", " ").replace(":", " ").split())
    if relation.folder in ("steps", "ingest", "views"):
        assert "reads" in said


def test_no_placeholder_is_left_unrendered() -> None:
    """Types, data and the database are all filled in."""
    for relation in [*ALL, *STEPS]:
        assert "{steps:" not in relation.body
        assert "{type:" not in relation.body
        assert "{data:" not in relation.body
        assert "{database}" not in relation.body


def test_relations_come_after_what_they_read() -> None:
    """The order of making never names what is not there yet."""
    views = CATALOG.relations("views")
    for place, view in enumerate(views):
        assert not reads(view, views[place:])


def test_a_circle_is_refused() -> None:
    """Two views that read each other are an error that names them."""
    one = Relation("views", "one", "", "create view one as select * from two")
    two = Relation("views", "two", "", "create view two as select * from one")
    with pytest.raises(ValueError, match=r"circle.*'one', 'two'"):
        in_order([one, two])


@pytest.mark.parametrize("text", ["select {type:nothing}", "with {steps:raw_spans nothing} select 1"])
def test_an_unknown_type_or_step_is_an_error(text: str) -> None:
    """A misspelled {type:} or {steps:} stops at once."""
    with pytest.raises(KeyError):
        CATALOG.render(text)


@pytest.mark.parametrize("folder", ["types", "steps", *DERIVED])
def test_whatever_changes_is_made_and_proven_again(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fingerprint, by which a start knows that the way of a span has changed, covers each file."""
    read, names = catalog._read, [relation.name for relation in catalog._read(folder)]
    unchanged = CATALOG.fingerprint  # asked for before any change, for it is kept from the first time on
    for name in names:

        def changed(each: str, name: str = name) -> Iterator[Relation]:
            for relation in read(each):
                mine = (each, relation.name) == (folder, name)
                yield replace(relation, body=f"{relation.body} ") if mine else relation

        with monkeypatch.context() as patched:
            patched.setattr(catalog, "_read", changed)
            assert Catalog("somewhere").fingerprint != unchanged, name
