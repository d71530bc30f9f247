"""
A price of one's own: a negotiated discount, a price for each unit, or what a GPU costs an hour.

A model of one's own is priced by its tokens, not by how long a call took: calls share a GPU, so their
durations overlap and would pay the same second twice. Tokens do not overlap. With

    usd_per_gpu_hour x gpus / (3600 x tokens_per_second) USD for each token, read or written,

the calls of an hour add up to what the hour cost, if the GPUs really served that many tokens a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from unicodedata import category

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sightline_collector.prices.marginals import UNITS

ANY_SELLER = "any"
"""The id of the seller of models that overrides price for calls whose provider sells no such model."""

SELF_HOSTED = "any self-hosted"
"""The same where one serves models oneself: what a seller takes for a model of that name is not charged."""

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2149, 6, 6)
"""Days are counted from the first: no call started earlier. The store counts no further than to the last."""

SMALLEST_LISTED_USD = Decimal("1e-9")
"""Listed prices have nine digits behind the point: a thousandth of a millionth of a dollar for a million."""

MOST_LISTED_USD = Decimal("1e8")
"""No million tokens cost as much, and the store's amounts are no wider."""

WHOLES = {"input_tokens", "output_tokens"}
"""What other kinds of tokens are parts of, and are paid as unless they have a price of their own."""

Usd = Annotated[Decimal, Field(ge=0, lt=MOST_LISTED_USD, allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=200)]


class Override(BaseModel):
    """What replaces the published price of some calls, between two UTC days.

    `provider` is a seller's id, '' for calls whose provider sells no such model; `model` is a name, or with a
    `*` at its end the names that begin with it. It says exactly one of `discount_pct`, `prices` (unit -> USD
    for as many as the price list says) and `usd_per_gpu_hour`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: Text = ""
    model: Annotated[str, Field(min_length=1, max_length=200)]
    valid_from: Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
    valid_until: Annotated[date, Field(le=LAST_DAY)] | None = None
    discount_pct: Annotated[Decimal, Field(gt=-1000, le=100, allow_inf_nan=False)] | None = None
    prices: dict[str, Usd] | None = None
    usd_per_gpu_hour: Annotated[Decimal, Field(gt=0, lt=Decimal("1e6"))] | None = None
    gpus: Annotated[int, Field(ge=1, le=100_000)] = 1
    tokens_per_second: Annotated[Decimal, Field(gt=0, lt=Decimal("1e9"))] | None = None
    note: Text = ""
    set_by: Text = ""
    id: Annotated[str, Field(max_length=450)] = ""

    @field_validator("provider", "model")
    @classmethod
    def _lower(cls, name: str) -> str:
        if "*" in name[:-1] or name.startswith("^"):
            raise ValueError("only a * at its end stands for more than itself")
        return name.strip().lower()

    @field_validator("provider", "model", "note", "set_by", "id")
    @classmethod
    def _of_characters(cls, text: str) -> str:
        if "|" in text or any(category(character) in ("Cc", "Cs") for character in text):
            raise ValueError("holds a control character or a |")
        return text

    @field_validator("prices")
    @classmethod
    def _known_units(cls, prices: dict[str, Decimal] | None) -> dict[str, Decimal] | None:
        unknown = sorted(set(prices or ()) - set(UNITS))
        if unknown:
            raise ValueError(f"no unit is called {unknown[0]!r}: `sightline prices list` shows the units")
        if prices is not None and not prices:
            raise ValueError("names no unit")
        if len(said := WHOLES & set(prices or ())) == 1:
            (other,) = WHOLES - said
            raise ValueError(f"{other} would cost nothing: say its price too, 0 where it is free")
        if odd := [usd for usd in (prices or {}).values() if usd % SMALLEST_LISTED_USD]:
            raise ValueError(f"{odd[0]} has more than nine digits behind the point")
        return prices

    @model_validator(mode="after")
    def _says_one_thing(self) -> Override:
        said = [self.discount_pct, self.prices, self.usd_per_gpu_hour]
        if sum(one is not None for one in said) != 1:
            raise ValueError("say one of discount_pct, prices and usd_per_gpu_hour")
        if (self.usd_per_gpu_hour is None) != (self.tokens_per_second is None):
            raise ValueError("a GPU's price needs tokens_per_second: what all of them serve, in and out")
        if self._usd_per_million >= MOST_LISTED_USD:
            raise ValueError("so few tokens_per_second make it more than 1e8 USD a million tokens")
        if self.discount_pct is not None and not self.provider:
            raise ValueError("a discount is one seller's: say which provider")
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError("valid_until lies before valid_from")
        return self

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or given.get("id"):
            return given
        name = f"{given.get('provider') or 'any'}/{given.get('model')}@{given.get('valid_from')}"
        return {**given, "id": name.lower()}

    def __hash__(self) -> int:
        """Of what tells overrides apart; a dict of prices has no hash of its own."""
        return hash((self.id, self.valid_until, self.discount_pct, self.usd_per_gpu_hour))

    @property
    def seller(self) -> str:
        """The id under which its models are sold."""
        return self.provider or ANY_SELLER

    @property
    def listed(self) -> Mapping[str, Decimal] | None:
        """USD by unit that it sets, as price lists say them; None for a discount."""
        if self.usd_per_gpu_hour is None or self.tokens_per_second is None:
            return self.prices
        usd = self._usd_per_million.quantize(SMALLEST_LISTED_USD)
        return {"input_tokens": usd, "output_tokens": usd}

    @property
    def _usd_per_million(self) -> Decimal:
        """What a GPU's hour comes to; 0 when it is not said."""
        if self.usd_per_gpu_hour is None or self.tokens_per_second is None:
            return Decimal(0)
        tokens_an_hour = 3600 * self.tokens_per_second
        return self.usd_per_gpu_hour * self.gpus / tokens_an_hour * UNITS["input_tokens"].per

    def charged(self, listed: Mapping[str, Decimal] | None) -> Mapping[str, Decimal] | None:
        """What is charged instead of a published price; a discount on nothing known is not known."""
        if self.discount_pct is None:
            return self.listed
        if listed is None:
            return None
        share = 1 - self.discount_pct / 100
        return {unit: (usd * share).quantize(SMALLEST_LISTED_USD) for unit, usd in listed.items()}

    def active(self, day: date) -> bool:
        """Whether it holds on a UTC day; valid_until is the first on which it does not."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)
