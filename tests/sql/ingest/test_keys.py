"""Keys of attributes are found by their hashes, and some by a place that they have alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sightline_collector.sql.catalog import SQL
from sightline_collector.store.engine import Engine

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
