"""
A snapshot of `genai-prices` -> the rows of every price table. Pure.

What cannot be expressed, and how it is priced
- A count that was not reported is 0 here. The library refuses a part reported without its whole, and an
  overlap that it cannot split (cached and audio input, cached audio unknown): so does the view, `bad_usage`.
- The view is stricter where a part exceeds a whole that it knows, though the model does not price that part
  and the library does not look: `bad_usage`. Normalised usage never gets there.
- The library says 0 USD when a call reports nothing that its model's price counts (tokens of a model that is
  paid by the minute, or no usage at all). That is unknown, not free: NULL, `no_usage`.
- Groq bills at least 10 seconds of audio: `at_least`. It also takes the seconds from `input_audio_seconds`
  alone; the view wants `audio_seconds`, the whole, and says `bad_usage` without it.
- Prices that do not end (a second of audio, an hour / 3600) are rounded at 1e-18 USD a unit.
- Of two compact dates that share a dash (-20250101-20250102) only the first is read as a date.
- A provider is never told by its URL: give the server address as the provider's name.
- Names are compared up to 512 bytes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal

from genai_prices.data_snapshot import DataSnapshot
from genai_prices.types import ModelInfo, Provider

from sightline_collector.prices.cells import Cell, Cube, cube
from sightline_collector.prices.listing import Line, lines
from sightline_collector.prices.marginals import (
    COLUMN_OF_UNIT,
    UNITS,
    Check,
    checks,
    marginals,
)
from sightline_collector.prices.names import add_model_rules
from sightline_collector.prices.providers import provider_rules
from sightline_collector.prices.rules import Row, RuleTree

EPOCH = date(1970, 1, 1)

GROQ_LEAST_SECONDS = 10
"""Groq bills at least this much audio a request; a rule in the library's code, not in its data."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """The number of an export, and the first free number for each thing it numbers.

    Numbers are never used again, so that the price of an old span stays explainable, and any mix of old
    and new dictionaries is a whole old or a whole new price.
    """

    export: int = 1
    model: int = 1
    point: int = 1
    lattice: int = 1


@dataclass(slots=True)
class Tables:
    """Rows of one export, one list for each price table."""

    points: list[Row] = field(default_factory=list)
    marginals: list[Row] = field(default_factory=list)
    checks: list[Row] = field(default_factory=list)
    contexts: list[Row] = field(default_factory=list)
    models: list[Row] = field(default_factory=list)
    price_list: list[Row] = field(default_factory=list)
    rules: list[Row] = field(default_factory=list)

    def by_table(self) -> Iterator[tuple[str, list[Row]]]:
        """Each table's name and its rows."""
        for one in fields(self):
            yield f"price_{one.name.removeprefix('price_')}_v1", getattr(self, one.name)


def export(snapshot: DataSnapshot, source: str, numbering: Numbering | None = None) -> Tables:
    """Every price of the snapshot as rows; `source` is the text that priced spans carry.

    Raises UnsupportedPatternError when the data has a pattern that the engine cannot run.
    """
    exporter = _Exporter(snapshot.providers, source, numbering or Numbering())
    return exporter.tables()


@dataclass(slots=True)
class _Exporter:
    providers: Sequence[Provider]
    source: str
    start: Numbering
    rows: Tables = field(default_factory=Tables)
    model_numbers: dict[tuple[str, int], int] = field(default_factory=dict)
    lattice_numbers: dict[frozenset[str], int] = field(default_factory=dict)

    def tables(self) -> Tables:
        tree = RuleTree()
        for provider in self.providers:
            add_model_rules(tree, provider, self.providers, self._number_of)
        self._add_rules("model", tree)
        self._add_rules("provider", provider_rules(self.providers))
        return self.rows

    def _mine(self, row: Row) -> Row:
        return {"export": self.start.export, **row}

    def _add_rules(self, kind: str, tree: RuleTree) -> None:
        self.rows.rules += [self._mine({"kind": kind, **row}) for row in tree.rows]

    def _number_of(self, provider: Provider, model: ModelInfo) -> int:
        """The number under which a provider sells a model; its prices become rows when it is first asked."""
        key = (provider.id, id(model))
        if key not in self.model_numbers:
            self.model_numbers[key] = self.start.model + len(self.model_numbers)
            self._add_model(self.model_numbers[key], provider, model)
        return self.model_numbers[key]

    def _add_model(self, number: int, provider: Provider, model: ModelInfo) -> None:
        own = any(model is one for one in provider.models)
        prices = cube(model, with_contexts=own)
        first = self.start.point + len(self.rows.points)
        self.rows.models.append(
            self._mine(
                {
                    "model": number,
                    "source": self.source,
                    "provider": provider.id,
                    "name": model.id,
                    "first": first,
                    **_edges(prices),
                }
            )
        )
        self.rows.contexts += [
            {"model": number, "pair": pair, "offset": offset} for pair, offset in prices.offsets.items()
        ]
        for point, cell in enumerate(prices.cells, first):
            self._add_point(point, cell, _at_least(provider, model))
        sold = {"provider": provider.id, "model": model.id, "source": self.source}
        self.rows.price_list += [
            self._mine({"price_id": first + line.place, **sold, **_listed(line)}) for line in lines(prices)
        ]

    def _add_point(self, point: int, cell: Cell, at_least: int) -> None:
        per_unit = marginals(cell.listed)
        columns = {column: _text(per_unit.get(unit, Decimal(0))) for unit, column in COLUMN_OF_UNIT.items()}
        free = not any(cell.listed.values())
        lattice = self._lattice(frozenset(cell.listed))
        self.rows.points.append({"point": point, **columns, "free": int(free), "lattice": lattice})
        self.rows.marginals += [
            {"point": point, "unit": unit, "usd": _text(usd), "at_least": at_least}
            for unit, usd in per_unit.items()
            if unit not in COLUMN_OF_UNIT
        ]

    def _lattice(self, priced: frozenset[str]) -> int:
        """The number of a set of priced units; its checks become rows when it is first asked."""
        if priced not in self.lattice_numbers:
            number = self.lattice_numbers[priced] = self.start.lattice + len(self.lattice_numbers)
            self.rows.checks += [_check_row(number, check) for check in checks(priced)]
        return self.lattice_numbers[priced]


def _check_row(lattice: int, check: Check) -> Row:
    return {
        "lattice": lattice,
        "part": check.part,
        "units": [list(weights) for weights in check.sums],
        "weights": [list(weights.values()) for weights in check.sums],
        "joins": [join for join, _ in check.overlaps],
        "others": [other for _, other in check.overlaps],
    }


def _edges(prices: Cube) -> Row:
    return {
        "days": [(day - EPOCH).days for day in prices.days],
        "seconds": prices.seconds,
        "starts": prices.starts,
        "day_stride": prices.day_stride,
        "second_stride": prices.second_stride,
    }


def _at_least(provider: Provider, model: ModelInfo) -> int:
    billed = provider.id == "groq" and model.id in ("whisper-large-v3", "whisper-large-v3-turbo")
    return GROQ_LEAST_SECONDS if billed else 0


def _listed(line: Line) -> Row:
    cell = line.cell
    return {
        "context": ", ".join(f"{key}={value}" for key, value in cell.context.items()),
        "valid_from": cell.valid_from.isoformat() if cell.valid_from else None,
        "from_second": cell.from_second,
        "above_input_tokens": cell.above_input_tokens or 0,
        "unit": line.unit,
        "usd": _text(line.usd),
        "per": UNITS[line.unit].per if line.unit in UNITS else 1,
        "repeats": int(line.repeats),
    }


def _text(usd: Decimal) -> str:
    """Decimal digits without an exponent, which the engine's parser reads exactly."""
    return format(usd, "f")
