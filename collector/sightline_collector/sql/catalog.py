"""Reads the SQL files: one file is one relation, and its name is the relation's name.

Folders, in the order in which their relations come to life:

    types/         texts that others quote as {type:NAME}: a tuple spelled once
    steps/         queries that others quote as {steps:ONE ANOTHER}: a span on its way
    tables/        what is stored; made once by a migration, never replaced
    migrations/    numbered changes to what is stored
    functions/     sightline_*: global in the engine, inlined where they are used
    dictionaries/  look-ups over small tables
    ingest/        Null tables and materialized views: the exporter's door, and what one log record becomes
    views/         the public interface

A file may say {database} (replaced by the database's name) and {data:FILE} (a file of data/, quoted
as a SQL string). Everything but tables and migrations is derived: it can be dropped and made again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable

SQL = resources.files("sightline_collector") / "sql"
DATA = resources.files("sightline_collector") / "data"
DERIVED = ("functions", "dictionaries", "ingest", "views")


@dataclass(frozen=True, slots=True)
class Relation:
    """One SQL file: its folder, its name, its text without the header's comment lines."""

    folder: str
    name: str
    header: str
    body: str

    @property
    def kind(self) -> str:
        """What DROP calls it: table, view, dictionary or function."""
        if self.folder in ("functions", "dictionaries"):
            return self.folder.removesuffix("s").replace("dictionarie", "dictionary")
        return "view" if re.match(r"create (or replace )?(materialized )?view", self.body) else "table"

    @property
    def says(self) -> str:
        """What its header tells people, on one line: grain and units, not what it reads and who reads it."""
        said = " ".join(line.lstrip("- ") for line in self.header.splitlines())
        return said.partition(" Reads: ")[0]


def _read(folder: str) -> Iterator[Relation]:
    files = [f for f in (SQL / folder).iterdir() if f.name.endswith(".sql")]
    for file in sorted(files, key=lambda f: f.name):
        yield _relation(folder, file)


def _relation(folder: str, file: Traversable) -> Relation:
    lines = file.read_text(encoding="utf8").splitlines()
    first = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    body = "\n".join(lines[first:]).strip().removesuffix(";")
    return Relation(folder, file.name.removesuffix(".sql"), "\n".join(lines[:first]), body)


class Catalog:
    """All relations, rendered for one database."""

    def __init__(self, database: str) -> None:
        self.database = database

    @cached_property
    def _types(self) -> dict[str, str]:
        return {r.name: r.body for r in _read("types")}

    @cached_property
    def _steps(self) -> dict[str, str]:
        return {r.name: r.body for r in _read("steps")}

    def render(self, text: str) -> str:
        """The text with its {steps:}, {type:}, {data:} and {database} replaced.

        Raises KeyError for a step or a type, FileNotFoundError for a data file that is not there.
        """
        text = re.sub(r"\{steps:([\w ]+)\}", lambda m: self.way(m[1].split()), text)
        while "{type:" in text:
            text = re.sub(r"\{type:(\w+)\}", lambda m: self._types[m[1]], text)
        text = re.sub(r"\{data:([\w./]+)\}", lambda m: _quoted(m[1]), text)
        return text.replace("{database}", self.database)

    def way(self, steps: Sequence[str], without: Collection[str] = ()) -> str:
        """The steps as a WITH clause names them, not rendered; who reads one that is left out reads the one
        before it. Raises KeyError for a step that is not there."""
        kept: list[str] = []
        instead: dict[str, str] = {}
        for name in steps:
            if name in without:
                instead[name] = kept[-1]
            else:
                kept.append(name)
        read = re.compile(rf"\bfrom ({'|'.join(instead)})\b") if instead else None
        texts = [self._steps[name] for name in kept]
        if read is not None:
            texts = [read.sub(lambda m: f"from {instead[m[1]]}", text) for text in texts]
        return ",\n".join(f"{name} as (\n{text})" for name, text in zip(kept, texts, strict=True))

    def relations(self, folder: str) -> list[Relation]:
        """The folder's relations, rendered, each after those that it reads."""
        found = [Relation(r.folder, r.name, r.header, self.render(r.body)) for r in _read(folder)]
        return in_order(found)

    @cached_property
    def derived(self) -> list[Relation]:
        """Everything that can be made again, in the order of making."""
        return [r for folder in DERIVED for r in self.relations(folder)]

    @cached_property
    def fingerprint(self) -> str:
        """Changes when any derived relation does, or a step of an insert."""
        parts = [*self.derived, *self.relations("types"), *self.relations("steps")]
        text = "\0".join(f"{r.folder}/{r.name}\n{r.body}" for r in parts)
        return hashlib.sha256(text.encode()).hexdigest()


def _quoted(name: str) -> str:
    return quoted(DATA.joinpath(*name.split("/")).read_text(encoding="utf8").strip())


def quoted(text: str) -> str:
    """Text as a SQL string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def reads(relation: Relation, others: list[Relation]) -> set[str]:
    """The names of those of the others that the relation's body mentions."""
    words = set(re.findall(r"\w+", relation.body))
    return {o.name for o in others if o.name in words and o.name != relation.name}


def in_order(relations: list[Relation]) -> list[Relation]:
    """The relations so sorted that each stands after those it reads.

    Raises ValueError when they read each other in a circle.
    """
    waiting, done = list(relations), []
    while waiting:
        ready = [r for r in waiting if not reads(r, waiting)]
        if not ready:
            raise ValueError(f"these SQL files read each other in a circle: {[r.name for r in waiting]}")
        done += ready
        waiting = [r for r in waiting if r not in ready]
    return done
