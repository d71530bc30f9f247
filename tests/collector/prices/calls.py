"""Model calls that both sides price: the library in Python, the engine through priced_spans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from importlib.resources.abc import Traversable

from genai_prices import Usage, calc_price

from sightline_collector.prices.load import load
from sightline_collector.sql.catalog import SQL, Catalog, Relation, in_order
from sightline_collector.store.engine import Engine

COLUMN_OF_UNIT = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "output_reasoning_tokens": "reasoning_tokens",
}
"""The library's usage keys that a span has a column for; the others travel in extra_usage."""

EXACT = Decimal("1e-12")
"""How far the engine's amount may be from the library's: the last digit that is stored."""


@dataclass(frozen=True, slots=True)
class Call:
    """One model call; `usage` has the library's keys, and a key that is absent was not reported."""

    provider: str = "openai"
    model: str = "gpt-4o"
    usage: Mapping[str, int] = field(default_factory=lambda: {"input_tokens": 1000, "output_tokens": 100})
    at: datetime = datetime(2026, 11, 1, tzinfo=UTC)
    context: Mapping[str, str] = field(default_factory=dict)
    operation: str = "llm"
    estimated: bool = False
    cached: bool = False
    reported_usd: str | None = None
    asked: str = ""
    """The model as the request named it, '' where it did not."""

    def row(self, number: int) -> dict[str, object]:
        """The call as a row of mapped_spans, numbered in its span id."""
        columns = {c: self.usage[u] for u, c in COLUMN_OF_UNIT.items() if u in self.usage}
        return {
            "span_id": f"{number:016x}",
            "operation": self.operation,
            "provider": self.provider,
            "model": self.model,
            "request_model": self.asked,
            "started_at": self.at.strftime("%Y-%m-%d %H:%M:%S.%f"),
            "price_context": [f"{key}={value}" for key, value in self.context.items()],
            "extra_usage": {u: n for u, n in self.usage.items() if u not in COLUMN_OF_UNIT},
            "tokens_estimated": int(self.estimated),
            "gateway_cached": int(self.cached),
            "reported_cost_usd": self.reported_usd,
            **columns,
        }

    def library_usd(self) -> Decimal | str:
        """What the library says it cost, or the name of the error that it raises."""
        try:
            return calc_price(
                Usage(**self.usage),
                self.model,
                provider_id=self.provider or None,
                genai_request_timestamp=self.at,
                price_context=self.context,
            ).total_price
        except (LookupError, ValueError) as refusal:
            return type(refusal).__name__


@dataclass(frozen=True, slots=True)
class Priced:
    """What the engine says of one call."""

    usd: Decimal | None
    status: str
    price_id: int
    source: str
    own_usd: Decimal | None = None


def make_store(engine: Engine) -> None:
    """The part of the chain that prices, with its sink in memory: a sample of all days has more weeks than
    one insert into spans_v1 may touch."""
    catalog = Catalog(engine.database)
    _make(engine, catalog, "tables", ("price_*", "spans_v1"))
    engine.command("create table priced_calls engine = Memory as select * from spans_v1 limit 0")
    load(engine)
    _make(engine, catalog, "functions", ("sightline_price_*", "sightline_model_call"))
    _make(engine, catalog, "dictionaries", ("price_*",))
    engine.command(catalog.render("create table mapped_spans ({type:span_facts}) engine = Null"))
    engine.command(
        "create materialized view price_spans to priced_calls as"
        f" with {catalog.render('{steps:priced_spans}')} select * from priced_spans"
    )
    _make(engine, catalog, "views", ("price*",))


def _make(engine: Engine, catalog: Catalog, folder: str, patterns: tuple[str, ...]) -> None:
    files = [f for f in (SQL / folder).iterdir() if any(fnmatchcase(f.name, f"{p}.sql") for p in patterns)]
    for relation in in_order([_relation(catalog, folder, file) for file in files]):
        engine.command(relation.body)


def _relation(catalog: Catalog, folder: str, file: Traversable) -> Relation:
    lines = [line for line in file.read_text("utf8").splitlines() if not line.startswith("--")]
    return Relation(folder, file.name.removesuffix(".sql"), "", catalog.render("\n".join(lines)))


def price(engine: Engine, calls: Sequence[Call]) -> list[Priced]:
    """Sends calls the way that spans go, and returns what was stored, in their order."""
    return price_rows(engine, (call.row(number) for number, call in enumerate(calls)))


def price_rows(engine: Engine, rows: Iterable[dict[str, object]]) -> list[Priced]:
    """Likewise for rows of mapped_spans whose span ids are in their order."""
    engine.command("truncate table priced_calls")
    engine.insert("mapped_spans", list(rows))
    stored = engine.rows(
        "select cost_usd, own_cost_usd, toString(cost_status) as status, price_id, price_source"
        " from priced_calls order by span_id"
    )
    return [
        Priced(r["cost_usd"], r["status"], r["price_id"], r["price_source"], r["own_cost_usd"])
        for r in stored
    ]


def same(usd: Decimal | None, expected: Decimal | str) -> bool:
    """Whether both sides name an amount, and the same one to 1e-12 USD."""
    return usd is not None and isinstance(expected, Decimal) and abs(usd - expected) <= EXACT
