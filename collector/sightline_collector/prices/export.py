"""
Published prices and what overrides make of them -> the rows of every price table. Pure.

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

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal

from genai_prices.types import ModelInfo, Provider

from sightline_collector.prices.catalogue import Catalogue
from sightline_collector.prices.cells import FREE, UNPUBLISHED, Cell, Cube, cube
from sightline_collector.prices.listing import Line, lines
from sightline_collector.prices.marginals import (
    COLUMN_OF_UNIT,
    UNITS,
    Check,
    checks,
    marginals,
)
from sightline_collector.prices.names import add_model_rules
from sightline_collector.prices.overridden import Scope, overridden, scopes
from sightline_collector.prices.override import ANY_SELLER, SELF_HOSTED, Override
from sightline_collector.prices.providers import provider_rules
from sightline_collector.prices.residency import with_residency
from sightline_collector.prices.rules import Row, RuleTree, literal

EPOCH = date(1970, 1, 1)

GROQ_LEAST_SECONDS = 10
"""Groq bills at least this much audio a request; a rule in the library's code, not in its data."""

FREE_OF_CHARGE = {"openrouter": r".*:free"}
"""Names that say themselves that they cost nothing, be they listed or not."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """The number of an export, and the first free number for each thing it numbers.

    A number never means another price, so that the price of an old span stays explainable, and any mix of
    old and new dictionaries is a whole old or a whole new price. `known` are the models that the store has,
    by digest: those that are sold as before keep their number, and only news is written.
    """

    export: int = 1
    model: int = 1
    point: int = 1
    lattice: int = 1
    known: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offer:
    """One model as one provider sells it: its prices, where they were published, the least that is billed."""

    provider: str
    model: str
    prices: Cube
    source: str
    at_least: int = 0

    def source_of(self, cell: Cell) -> str:
        """The text that spans carry which were priced by the cell."""
        if not cell.override:
            return self.source
        return f"override {cell.override}" + (f" of {self.source}" if self.source else "")

    @property
    def digest(self) -> str:
        """Equal for offers that charge the same under the same names."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


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
    sold: list[int] = field(default_factory=list)
    """The numbers of all models of the export, new ones and those of earlier exports."""

    def by_table(self) -> Iterator[tuple[str, list[Row]]]:
        """Each table's name and its rows."""
        for one in fields(self):
            if one.name != "sold":
                yield f"price_{one.name.removeprefix('price_')}_v1", getattr(self, one.name)


def export(
    catalogue: Catalogue, overrides: Sequence[Override] = (), numbering: Numbering | None = None
) -> Tables:
    """Every price of the catalogue as rows, changed by the overrides.

    Raises UnsupportedPatternError when the data has a pattern that the engine cannot run.
    """
    return _Exporter(catalogue, overrides, numbering or Numbering()).tables()


@dataclass(slots=True)
class _Exporter:
    catalogue: Catalogue
    overrides: Sequence[Override]
    start: Numbering
    rows: Tables = field(default_factory=Tables)
    numbers: dict[tuple[str, int, tuple[Override, ...]], int] = field(default_factory=dict)
    sold: dict[str, int] = field(default_factory=dict)
    lattice_numbers: dict[frozenset[str], int] = field(default_factory=dict)

    def tables(self) -> Tables:
        tree = RuleTree()
        for provider in self.catalogue.providers:
            for scope in scopes(self.overrides, provider.id):
                self._add_scope(tree, provider, scope)
            add_model_rules(tree, provider, self.catalogue.providers, self._number_of)
            if free := FREE_OF_CHARGE.get(provider.id):
                number = self._number(Offer(provider.id, "*:free", FREE, f"{provider.id}'s own word"))
                tree.add(rf"^{literal(provider.id)}\|{free}$", model=number)
        for scope in scopes(self.overrides, ANY_SELLER):
            number = self._number(_own(ANY_SELLER, scope))
            tree.add(rf"^{literal(SELF_HOSTED)}\|{scope.pattern}$", model=number)
        self._add_rules("model", tree)
        self._add_rules("provider", provider_rules(self.catalogue.providers))
        self.rows.sold = sorted(self.sold.values())
        return self.rows

    def _add_scope(self, tree: RuleTree, provider: Provider, scope: Scope) -> None:
        """What overrides change stands before what they leave alone, in a branch of the tree."""
        branch = tree.add(rf"^{literal(provider.id)}\|{scope.pattern}$")
        add_model_rules(
            tree,
            provider,
            self.catalogue.providers,
            lambda seller, model: self._number_of(seller, model, scope.overrides),
            parent=branch,
            only=scope.reaches,
        )
        if any(one.listed is not None for one in scope.overrides):
            tree.add(".", parent=branch, model=self._number(_own(provider.id, scope)))

    def _mine(self, row: Row) -> Row:
        return {"export": self.start.export, **row}

    def _add_rules(self, kind: str, tree: RuleTree) -> None:
        self.rows.rules += [self._mine({"kind": kind, **row}) for row in tree.rows]

    def _number_of(self, provider: Provider, model: ModelInfo, overrides: tuple[Override, ...] = ()) -> int:
        """The number under which a provider sells a model, at prices that the overrides changed."""
        key = (provider.id, id(model), overrides)
        if key not in self.numbers:
            own = any(model is one for one in provider.models)
            prices = cube(model, with_contexts=own)
            prices = overridden(with_residency(prices, provider, model) if own else prices, overrides)
            source = self.catalogue.source_of(model)
            self.numbers[key] = self._number(
                Offer(provider.id, model.id, prices, source, _at_least(provider, model))
            )
        return self.numbers[key]

    def _number(self, offer: Offer) -> int:
        """An offer's number; its prices become rows unless the store has them under that number."""
        digest = offer.digest
        if digest not in self.sold:
            known = self.start.known.get(digest)
            self.sold[digest] = self.start.model + len(self.rows.models) if known is None else known
            if known is None:
                self._add_model(self.sold[digest], digest, offer)
        return self.sold[digest]

    def _add_model(self, number: int, digest: str, offer: Offer) -> None:
        prices = offer.prices
        first = self.start.point + len(self.rows.points)
        sold = {"provider": offer.provider, "name": offer.model, "digest": digest, "first": first}
        self.rows.models.append(self._mine({"model": number, **sold, **_edges(prices)}))
        self.rows.contexts += [
            {"model": number, "pair": pair, "offset": offset} for pair, offset in prices.offsets.items()
        ]
        for point, cell in enumerate(prices.cells, first):
            self._add_point(point, cell, offer)
        listed = {"model_number": number, "provider": offer.provider, "model": offer.model}
        self.rows.price_list += [
            {"price_id": first + line.place, **listed, "source": offer.source_of(line.cell), **_listed(line)}
            for line in lines(prices)
        ]

    def _add_point(self, point: int, cell: Cell, offer: Offer) -> None:
        listed = cell.listed or {}
        per_unit = marginals(listed)
        columns = {column: _text(per_unit.get(unit, Decimal(0))) for unit, column in COLUMN_OF_UNIT.items()}
        lattice = self._lattice(frozenset(listed))
        said = {"terms": _terms(cell), "source": offer.source_of(cell), "lattice": lattice}
        self.rows.points.append({"point": point, **columns, **said})
        self.rows.marginals += [
            {"point": point, "unit": unit, "usd": _text(usd), "at_least": offer.at_least}
            for unit, usd in per_unit.items()
            if unit not in COLUMN_OF_UNIT
        ]

    def _lattice(self, priced: frozenset[str]) -> int:
        """The number of a set of priced units; its checks become rows when it is first asked."""
        if priced not in self.lattice_numbers:
            number = self.lattice_numbers[priced] = self.start.lattice + len(self.lattice_numbers)
            self.rows.checks += [_check_row(number, check) for check in checks(priced)]
        return self.lattice_numbers[priced]


def _own(provider_id: str, scope: Scope) -> Offer:
    """What nobody publishes a price of, at the prices that overrides set."""
    return Offer(provider_id, scope.model, overridden(UNPUBLISHED, scope.overrides), "")


def _check_row(lattice: int, check: Check) -> Row:
    return {
        "lattice": lattice,
        "part": check.part,
        "units": [list(weights) for weights in check.sums],
        "weights": [list(weights.values()) for weights in check.sums],
        "joins": [join for join, _ in check.overlaps],
        "others": [other for _, other in check.overlaps],
    }


def _terms(cell: Cell) -> str:
    if cell.listed is None:
        return "unknown"
    return "priced" if any(cell.listed.values()) else "free"


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
        "override": cell.override,
        "repeats": int(line.repeats),
    }


def _text(usd: Decimal) -> str:
    """Decimal digits without an exponent, which the engine's parser reads exactly."""
    return format(usd, "f")
