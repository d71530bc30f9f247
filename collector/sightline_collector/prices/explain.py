"""
Why a call costs what it costs: which spelling of its names was found, by which rules, and what it is charged.

The amount is the engine's own, through the step that prices spans; the rest is read from the same tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sightline_collector.prices.listing import FREE_UNIT
from sightline_collector.prices.marginals import UNITS, remainders
from sightline_collector.sql.catalog import Catalog
from sightline_collector.store.engine import Engine

SPELLINGS = """
with lower(left(concat({provider:String}, '|', {model:String}), 512)) as call
select
    arrayJoin([
        ('as it is named', call),
        ('with its date dashed', sightline_price_dashed(call)),
        ('by the model alone', sightline_price_bare(call)),
        ('by the model alone, with its date dashed', sightline_price_dashed(sightline_price_bare(call)))
    ]) as spelling,
    spelling.1 as found, spelling.2 as name,
    dictGet('{database}.price_provider_rules', 'key', name) as key,
    dictGet('{database}.price_model_rules', 'model', key) as model
"""

RULES = """
select id, parent_id, regexp, notEmpty(keys) as decides
from price_rules_v1
where kind = {kind:String} and export = (select max(export) from price_exports_v1)
    and match({name:String}, regexp)
order by id
"""

CHARGED = """
with mapped_spans as (
    select
        'llm' as operation, lower({provider:String}) as provider, {model:String} as model,
        '' as request_model,
        fromUnixTimestamp64Nano({at_ns:Int64}, 'UTC') as started_at,
        {input:Nullable(UInt64)} as input_tokens, {output:Nullable(UInt64)} as output_tokens,
        {read:Nullable(UInt64)} as cache_read_tokens, {write:Nullable(UInt64)} as cache_write_tokens,
        {write_1h:Nullable(UInt64)} as cache_write_1h_tokens,
        {reasoning:Nullable(UInt64)} as reasoning_tokens,
        mapFromArrays({units:Array(String)}, {counts:Array(UInt64)}) as extra_usage,
        {context:Array(String)} as price_context, 0 as tokens_estimated, 0 as gateway_cached,
        null::Nullable(Decimal(18, 12)) as reported_cost_usd, cast([], 'Array(String)') as notes
),
{steps:priced_spans}
select cost_usd, toString(cost_status) as status, price_id, price_source from priced_spans
"""

CELL = """
select provider, model, context, valid_from, from_second, above_input_tokens, unit, usd, per, override
from price_list_v1
where price_id = {price_id:UInt32}
order by unit
"""

PARAMETER_OF_UNIT = {
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read_tokens": "read",
    "cache_write_tokens": "write",
    "cache_write_1h_tokens": "write_1h",
    "output_reasoning_tokens": "reasoning",
}

UNLISTED = """
select arrayJoin({context:Array(String)}) as pair
where dictGet('{database}.price_contexts', 'offset', (toUInt32({model:UInt32}), pair)) = 0
"""

FIRST_YEAR, LAST_YEAR = 1971, 2261
"""What the store's times can say, whatever the zone."""

Row = Mapping[str, Any]


class Question(BaseModel):
    """A call to be explained; `usage` counts units, `context` has entries such as `service_tier=flex`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: Annotated[str, Field(max_length=200)] = ""
    model: Annotated[str, Field(min_length=1, max_length=500)]
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    usage: dict[str, Annotated[int, Field(ge=0, lt=2**63)]]
    context: tuple[str, ...] = ()

    @field_validator("usage")
    @classmethod
    def _known_units(cls, usage: dict[str, int]) -> dict[str, int]:
        unknown = sorted(set(usage) - set(UNITS))
        if unknown:
            raise ValueError(f"no unit is called {unknown[0]!r}: `sightline prices list` shows the units")
        return usage

    @field_validator("context")
    @classmethod
    def _pairs(cls, context: tuple[str, ...]) -> tuple[str, ...]:
        for pair in context:
            if not all(pair.partition("=")):
                raise ValueError(f"{pair!r} says nothing: write it as service_tier=flex")
        return context

    @field_validator("at")
    @classmethod
    def _utc(cls, at: datetime) -> datetime:
        utc = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        if not FIRST_YEAR <= utc.year <= LAST_YEAR:
            raise ValueError(f"no call is of the year {utc.year}")
        return utc


def explain(engine: Engine, question: Question) -> dict[str, Any]:
    """What the call costs, its status and source, the rules that named its price, and each unit's share."""
    names = {"provider": question.provider.lower(), "model": question.model}
    spellings = engine.rows(SPELLINGS.replace("{database}", engine.database), names)
    found = next((row for row in spellings if row["model"]), None)
    charged = engine.rows(Catalog(engine.database).render(CHARGED), _parameters(question))[0]
    cell = engine.rows(CELL, {"price_id": charged["price_id"]})
    return {
        **charged,
        "at": question.at,
        "found": found["found"] if found else "",
        "rules": _rules(engine, found) if found else [],
        "unlisted": _unlisted(engine, found["model"], question.context) if found else [],
        **_where(cell),
        "charges": _charges(cell, question.usage),
    }


def _parameters(question: Question) -> dict[str, Any]:
    counts = {name: question.usage.get(unit) for unit, name in PARAMETER_OF_UNIT.items()}
    rare = {unit: n for unit, n in question.usage.items() if unit not in PARAMETER_OF_UNIT}
    return {
        "provider": question.provider,
        "model": question.model,
        "at_ns": int(question.at.timestamp()) * 10**9,
        "units": list(rare),
        "counts": list(rare.values()),
        "context": list(question.context),
        **counts,
    }


def _unlisted(engine: Engine, model: int, context: Sequence[str]) -> list[str]:
    """What the list has no price of its own for, of the ways in which the call was served."""
    asked = UNLISTED.replace("{database}", engine.database)
    return [str(row["pair"]) for row in engine.rows(asked, {"context": list(context), "model": model})]


def _rules(engine: Engine, found: Row) -> list[str]:
    """The patterns that made the name a provider's and a model's, in the order in which they were met."""
    steps = (("provider", found["name"]), ("model", found["key"]))
    return [
        f"{kind}: {regexp}"
        for kind, name in steps
        for regexp in way(engine.rows(RULES, {"kind": kind, "name": name}))
    ]


def way(matching: Sequence[Row], parent: int = 0) -> list[str]:
    """The way down a tree of rules, of which only those are given that match: the first that decides."""
    for row in matching:
        if row["parent_id"] == parent:
            below = way(matching, row["id"])
            if below or row["decides"]:
                return [row["regexp"], *below]
    return []


def _where(cell: Sequence[Row]) -> dict[str, Any]:
    """Whose price it is, and from when and where it holds."""
    if not cell:
        return {}
    shown = ("provider", "model", "context", "valid_from", "from_second", "above_input_tokens", "override")
    return {f"price_{name}": cell[0][name] for name in shown}


def _charges(cell: Sequence[Row], usage: Mapping[str, int]) -> list[dict[str, Any]]:
    """Each priced unit: how many are charged at its price once its own priced parts are taken out."""
    priced = {row["unit"]: row for row in cell if row["unit"] != FREE_UNIT}
    reported = {**usage, "requests": 1}
    charges = []
    for unit, weights in remainders(frozenset(priced)).items():
        count = sum(weight * reported.get(name, 0) for name, weight in weights.items())
        usd, per = priced[unit]["usd"], priced[unit]["per"]
        amount = Decimal(count) * usd / per
        charges.append({"unit": unit, "count": count, "usd": usd, "per": per, "amount_usd": amount})
    return sorted(charges, key=lambda charge: str(charge["unit"]))
