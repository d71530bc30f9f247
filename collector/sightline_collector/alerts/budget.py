"""A budget: what it limits, and the calendar windows in which it does. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from unicodedata import category

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sightline_collector.alerts.rule import Labels

SCOPES = ("project", "service", "feature", "model", "user_id")
ID_LENGTH = 200
CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode's categories of what is no character of a name: controls, broken ones, ends of lines."""


class Budget(BaseModel):
    """A limit in USD per calendar window (UTC; weeks begin on Monday) on what a scope spends.

    A scope that is empty admits anything. `id` is made of scope and window when not given, so that setting
    the same budget again replaces it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit_usd: Annotated[Decimal, Field(gt=0, le=Decimal("1e11"), max_digits=18, decimal_places=6)]
    per: Literal["hour", "day", "week", "month"] = "day"
    project: str = ""
    service: str = ""
    feature: str = ""
    model: str = ""
    user_id: str = ""
    thresholds: Annotated[tuple[Annotated[int, Field(ge=1, le=1000)], ...], Field(min_length=1)] = (
        50,
        80,
        100,
    )
    notify: tuple[str, ...] = ()
    id: Annotated[str, Field(max_length=ID_LENGTH)] = ""

    @field_validator(*SCOPES, "id")
    @classmethod
    def _of_characters(cls, text: str) -> str:
        if _has_controls(text):
            raise ValueError(f"{text!r} holds control characters")
        return text

    @field_validator("notify")
    @classmethod
    def _addresses(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        if any(map(_has_controls, addresses)):
            raise ValueError("an address holds control characters")  # which may be a secret: not shown
        return addresses

    @field_validator("thresholds")
    @classmethod
    def _ascending(cls, thresholds: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(thresholds)))

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or given.get("id"):
            return given
        scope = ",".join(f"{name}={given[name]}" for name in SCOPES if given.get(name))
        name = f"{given.get('per', 'day')}:{scope}".removesuffix(":")
        return {**given, "id": name if len(name) <= ID_LENGTH else _digest(name)}


@dataclass(frozen=True, slots=True)
class Window:
    """A row of budget_windows."""

    budget: str
    scope: str
    per: str
    start: datetime
    end: datetime
    spend_usd: Decimal
    limit_usd: Decimal
    thresholds: tuple[int, ...]
    unpriced_calls: int
    forecast_usd: float | None
    drivers: tuple[tuple[str, float], ...]
    set_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Window:
        """The window of a row of budget_windows."""
        return cls(
            budget=row["budget"],
            scope=row["scope"],
            per=row["per"],
            start=row["window_start"].replace(tzinfo=UTC),
            end=row["window_end"].replace(tzinfo=UTC),
            spend_usd=row["spend_usd"],
            limit_usd=row["limit_usd"],
            thresholds=tuple(row["thresholds"]),
            unpriced_calls=int(row["unpriced_calls"]),
            forecast_usd=row["forecast_usd"],
            drivers=tuple((d["driver"], d["usd"]) for d in row["drivers"]),
            set_at=row["set_at"].replace(tzinfo=UTC),
        )

    @property
    def share_pct(self) -> float:
        """What was spent, in percent of the limit."""
        return float(100 * self.spend_usd / self.limit_usd)

    @property
    def when(self) -> str:
        """The window as people name it, in UTC."""
        forms = {"hour": "%Y-%m-%d %H:00", "day": "%Y-%m-%d", "week": "from %Y-%m-%d", "month": "%Y-%m"}
        return self.start.strftime(forms[self.per])

    def reaches(self, threshold: float) -> bool:
        """Whether that many percent of the limit are spent."""
        return self.spend_usd * 100 >= self.limit_usd * Decimal(threshold)

    def passed(self) -> list[int]:
        """The thresholds that the spend has reached, ascending."""
        return [t for t in self.thresholds if self.reaches(t)]

    def labels(self, threshold: int) -> Labels:
        """What tells one threshold of one limit in one window from the next."""
        return (
            ("limit_usd", f"{self.limit_usd.normalize():f}"),
            ("threshold_pct", str(threshold)),
            ("window", self.when),
        )


def _has_controls(text: str) -> bool:
    return any(category(character) in CONTROLS for character in text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
