"""Keys of attributes are found by their hashes, and some by a place that they have alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from otlp_requests import attributes, insert, traces

from sightline_collector.sql.catalog import SQL
from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

ASKED = sorted(
    {
        key
        for step in Path(str(SQL / "steps")).glob("*.sql")
        for key in re.findall(r"sightline_(?:place|given)\(\s*'([^']+)'", step.read_text("utf8"))
    }
)
"""Keys that steps look for by their place."""


def test_every_key_of_a_dialect_has_its_own_hash(engine: Engine) -> None:
    """No key stands for another: each is found, with what its row says."""
    differs = (
        "select key from dialects_v1 where toString(column) !="
        " dictGet('{database}.dialects', 'column', cityHash64(key))"
        " or dialect != dictGet('{database}.dialects', 'dialect', cityHash64(key))"
        " or shape != dictGet('{database}.dialects', 'shape', cityHash64(key))"
    )
    assert engine.rows(differs.replace("{database}", engine.database)) == []
    assert engine.value("select count() = uniqExact(key) and count() > 900 from dialects_v1") == 1


def test_every_flattened_key_has_its_own_hash(engine: Engine) -> None:
    """So do the keys of flattened messages."""
    differs = (
        "select key from message_keys_v1 where (list, place) !="
        " dictGet('{database}.message_keys', ('list', 'place'), cityHash64(key))"
    )
    assert engine.rows(differs.replace("{database}", engine.database)) == []
    assert engine.value("select count() = uniqExact(key) and count() > 50 from message_keys_v1") == 1


@pytest.mark.parametrize("key", ASKED)
def test_a_key_that_is_looked_for_has_its_place_alone(engine: Engine, key: str) -> None:
    """A step that asks for a key by its place finds no other."""
    alike = "select key from dialects_v1 where sightline_place(key) = sightline_place({key:String})"
    assert [row["key"] for row in engine.rows(alike, {"key": key})] == [key]


def test_of_flattened_keys_only_finish_reasons_mean_something_alone(engine: Engine) -> None:
    """Other keys of dialects are not looked at as parts of a list."""
    both = (
        "select distinct toString(column) as means from dialects_v1 where dictHas('{database}.message_keys',"
        " cityHash64(sightline_message_key(key)))"
    )
    assert engine.rows(both.replace("{database}", engine.database)) == [{"means": "finish"}]


def test_of_a_key_that_a_span_has_often_the_first_counts(engine: Engine, tmp_path: Path) -> None:
    """However many attributes there are: more than a sort leaves in their order by itself."""
    request = traces()
    pairs = [pair for n in range(40) for pair in (("session.id", f"s{n}"), (f"app.key_{n}", "x"))]
    request.resource_spans[0].scope_spans[0].spans[0].attributes.extend(attributes(pairs))
    insert(engine, Signal.TRACES, [(request, 1)], tmp_path / "segment", batch=7040)
    assert engine.value("select session_id from spans_v1 where batch = 7040") == "s0"
