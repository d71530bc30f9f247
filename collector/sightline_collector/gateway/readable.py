"""The lists of data/readable.toml: all that a reader of the SQL port may name."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields

from sightline_collector.sql.catalog import DATA


@dataclass(frozen=True, slots=True)
class Readable:
    """One set of names for each list of the file."""

    syntax_nodes: frozenset[str]
    system_tables: frozenset[str]
    information_schema: frozenset[str]
    table_functions: frozenset[str]
    function_categories: frozenset[str]
    shut_functions: frozenset[str]
    shut_dictionaries: frozenset[str]
    syntax_functions: frozenset[str]
    transport_settings: frozenset[str]
    chosen_settings: frozenset[str]
    lowered_settings: frozenset[str]


def read() -> Readable:
    """Read the file. Raises KeyError when a list is missing."""
    said = tomllib.loads((DATA / "readable.toml").read_text(encoding="utf8"))
    return Readable(**{field.name: _names(said[field.name]) for field in fields(Readable)})


def _names(said: str | list[str]) -> frozenset[str]:
    return frozenset(said.split() if isinstance(said, str) else said)


READABLE = read()
