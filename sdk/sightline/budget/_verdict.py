"""From what was spent and what may be to a decision. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

from sightline import attributes
from sightline.budget._caps import Action, Budget, Decision, Measure, Sum
from sightline.budget._spend import Spent

_SEVERITY: Final[Mapping[Action, int]] = {"allow": 0, "warn": 1, "deny": 2}
_WHO: Final[Mapping[Sum, tuple[str, str]]] = {
    "trace": ("This trace", "a trace"),
    "session": ("This session", "a session"),
    "user_day": ("This user", "a user and day"),
    "feature_day": ("This feature", "a feature and day"),
    "process": ("This process", "a process"),
    "day": ("This process", "a day"),
    "month": ("This process", "a month"),
}
_DID: Final[Mapping[Measure, tuple[str, str]]] = {
    "usd": ("spent", "USD"),
    "tokens": ("used", "tokens"),
    "calls": ("made", "model calls"),
}
_DATE: Final = re.compile(r"-\d{4}-?\d{2}-?\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one limit alone decides, how much of it is used (1 is all), and how that is told in words."""

    action: Action
    share: float
    tell: Callable[[], Decision]


@dataclass(frozen=True, slots=True)
class Status:
    """One of the collector's budgets in the window that is open until `ends_s` (since 1970, UTC).

    A scope that is empty admits anything. `state` is ok, warning or exceeded.
    """

    budget: str
    per: str
    ends_s: int
    spend_usd: Decimal
    limit_usd: Decimal
    state: str
    project: str = ""
    service: str = ""
    feature: str = ""
    model: str = ""
    user_id: str = ""

    def covers(self, project: str, service: str, values: Mapping[str, Any], model: str | None) -> bool:
        """Whether a call counts for it; one for a dated model covers those that ask for it without date."""
        return (
            self.project in ("", project)
            and self.service in ("", service)
            and self.feature in ("", values.get(attributes.FEATURE))
            and self.user_id in ("", values.get(attributes.USER_ID))
            and (self.model in ("", model) or _is_dated(self.model, model))
        )


def by_caps(budget: Budget, spent: Mapping[Sum, Spent]) -> Iterator[Finding]:
    """What each cap says; one for a session says nothing outside of a session."""
    for kind, cap in budget.caps:
        if kind in spent:
            for measure, limit in cap.limits:
                yield _by_limit(budget, kind, measure, limit, spent[kind])


def by_status(status: Status) -> Finding:
    """What one of the collector's budgets says."""
    action: Action = "allow" if status.state == "ok" else "warn"
    if status.spend_usd >= status.limit_usd:
        action = "deny"
    share = _share(status.spend_usd, status.limit_usd)
    return Finding(action, share, partial(_told_of_status, status, action))


def _told_of_status(status: Status, action: Action) -> Decision:
    spent, limit = status.spend_usd, status.limit_usd
    said = (
        f"All processes together have spent {spent:f} of the {limit:f} USD that the collector's budget"
        f" {status.budget!r} allows for the {status.per}"
    )
    if action == "deny":
        ends = datetime.fromtimestamp(status.ends_s, UTC).strftime("%Y-%m-%d %H:%M")
        advice = f"Wait until {ends} UTC, or raise it: sightline budget set"
        said = _denied(said, advice)
    return Decision(action, said, spent, limit, status.budget)


def unknown(budget: Budget, address: str) -> Finding:
    """What holds while nobody knows what the collector says."""
    said = f"The collector at {address} has not told its budgets yet, or not for {budget.max_age_s:g} s"
    if budget.on_unknown == "deny":
        advice = "See that it runs, or choose Budget(on_unknown='allow')"
        said = _denied(said, advice)
    decision = Decision(budget.on_unknown, said, budget=budget.name)
    return Finding(budget.on_unknown, -1.0, lambda: decision)


def least(findings: Iterable[Finding]) -> Decision:
    """The decision that allows least; of equal ones that of which most is used."""
    worst = max(findings, key=lambda f: (_SEVERITY[f.action], f.share), default=None)
    return worst.tell() if worst else Decision()


def _by_limit(budget: Budget, kind: Sum, measure: Measure, limit: Decimal, spent: Spent) -> Finding:
    used = getattr(spent, measure)
    share = _share(used, limit)
    action: Action = "deny" if used >= limit else "warn" if share >= budget.warn_at else "allow"
    if measure == "usd" and spent.unpriced and action != "deny":
        action = "deny" if budget.on_unpriced == "deny" else "warn"
    return Finding(action, share, partial(_told_of_limit, budget, kind, measure, limit, spent, action))


def _told_of_limit(
    budget: Budget, kind: Sum, measure: Measure, limit: Decimal, spent: Spent, action: Action
) -> Decision:
    used = Decimal(getattr(spent, measure))
    who, each = _WHO[kind]
    did, unit = _DID[measure]
    said = f"{who} has {did} {used:f} of the {limit:f} {unit} that budget {budget.name!r} allows {each}"
    if measure == "usd" and spent.unpriced:
        said += f", beside {spent.unpriced} calls that have no known price, last to {spent.unpriced_model!r}"
    if action == "deny" and used < limit:
        said = _denied(said, "Cap calls or tokens instead, or choose Budget(on_unpriced='allow')")
    elif action == "deny":
        said = _denied(said, f"Stop here, or raise Budget(per_{kind}=...)")
    return Decision(action, said, spent.usd, limit if measure == "usd" else None, budget.name)


def _denied(said: str, advice: str) -> str:
    return f"{said}: no further call is made. {advice}."


def _share(used: Decimal | int, limit: Decimal) -> float:
    return float(used) / float(limit) if limit else 1.0


def _is_dated(dated: str, model: str | None) -> bool:
    return bool(model) and dated.startswith(str(model)) and bool(_DATE.fullmatch(dated[len(str(model)) :]))
