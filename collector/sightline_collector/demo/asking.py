"""Questions to the demo's collector, on its SQL port."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from typing import Any

from sightline_collector.commands.asking import Collector, NotAnswered
from sightline_collector.commands.sql import TABLE_FORMAT, TABLE_SETTINGS
from sightline_collector.demo.processes import DemoFailed


@dataclass(frozen=True, slots=True)
class Answer:
    """`columns` are names with ClickHouse types; rows are values as JSON has them."""

    columns: list[tuple[str, str]]
    rows: list[list[Any]]

    def records(self) -> list[dict[str, Any]]:
        """The rows by column name."""
        names = [name for name, _ in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Asking:
    """Every question raises DemoFailed, with the collector's words, when it is not answered."""

    collector: Collector

    def ask(self, sql: str) -> Answer:
        """The answer to a query."""
        with _failing(sql), self.collector.statement(sql, TABLE_FORMAT, TABLE_SETTINGS) as pieces:
            names, types, *rows = map(json.loads, b"".join(pieces).splitlines())
        return Answer(list(zip(names, types, strict=True)), rows)

    def count(self, view: str) -> int:
        """How many rows a view has."""
        return int(self.ask(f"select count() from {view}").rows[0][0])  # noqa: S608  # names of our own

    def wait_stored(self) -> None:
        """Returns when all that the collector has acknowledged can be asked for."""
        with _failing("flush"):
            self.collector.call("POST", "/api/flush", {})


def query(name: str, **values: str) -> str:
    """One of the report's queries: the text of report/NAME.sql, each {name} in it replaced by its value."""
    text = (resources.files(__package__) / "report" / f"{name}.sql").read_text(encoding="utf8")
    return text.format(**values) if values else text


@contextmanager
def _failing(asked: str) -> Iterator[None]:
    try:
        yield
    except NotAnswered as error:
        raise DemoFailed(f"{error.message}. {error.hint}\nAsked was: {asked}") from None
