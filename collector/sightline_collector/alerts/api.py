"""What the command line and the HTTP pages may do with budgets, rules and alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sightline_collector.alerts.budget import Budget
from sightline_collector.alerts.event import stored_time
from sightline_collector.alerts.notify import masked, tell, unusable
from sightline_collector.errors import BadConfiguration
from sightline_collector.store.engine import Engine

KINDS = "https://appriseit.com lists every kind of address"

KEPT = ("thresholds", "notify")
"""Fields of a budget that stay as they were when it is set anew without them."""

_NEWEST = (
    "select * except (set_at, id), id from budgets_v1 where id = {id:String} order by set_at desc limit 1"
)


@dataclass(frozen=True, slots=True)
class Setting:
    """A budget that was set: the limit that it replaces, if any, and its channels without secrets."""

    id: str
    replaced_limit_usd: Decimal | None
    channels: tuple[str, ...]


def set_budget(engine: Engine, budget: Budget, now: datetime | None = None) -> Setting:
    """Set a budget as of `now`, or replace the one of the same id; thresholds and channels that are not given
    stay as they were.

    Windows that were over by then are judged only if spans came to them since. Raises BadConfiguration when
    one of its addresses cannot be told.
    """
    faults = [fault for fault in map(unusable, budget.notify) if fault]
    if faults:
        raise BadConfiguration("; ".join(faults), hint=KINDS)
    before = _in_force(engine, budget.id)
    kept = {name: before[name] for name in KEPT if before and name not in budget.model_fields_set}
    row = {**budget.model_dump(mode="json"), **kept, "set_at": _stored(now)}
    engine.insert("budgets_v1", [row])
    return Setting(budget.id, before["limit_usd"] if before else None, tuple(map(masked, row["notify"])))


def _in_force(engine: Engine, budget_id: str) -> dict[str, Any] | None:
    found = engine.rows(_NEWEST, {"id": budget_id})
    return found[0] if found and not found[0]["removed"] else None


def list_budgets(engine: Engine) -> list[dict[str, Any]]:
    """The budgets in force, each with what it spent in the window that is open now."""
    return engine.rows("select * from budget_status")


def remove_budget(engine: Engine, budget_id: str, now: datetime | None = None) -> None:
    """Take a budget out of force. Raises BadConfiguration, which lists those there are, for another id."""
    newest = _in_force(engine, budget_id)
    if newest is None:
        known = [row["budget"] for row in engine.rows("select budget from budget_limits order by budget")]
        listed = f"there are: {', '.join(known)}" if known else "no budget is set"
        raise BadConfiguration(f"there is no budget {budget_id!r}", hint=listed)
    engine.insert("budgets_v1", [{**newest, "removed": 1, "set_at": _stored(now)}])


def _stored(now: datetime | None) -> str:
    return stored_time(now or datetime.now(UTC), "microseconds")


def current_alerts(engine: Engine) -> list[dict[str, Any]]:
    """The alerts that are pending or firing now, the gravest first."""
    return engine.rows("select * from alerts")


def try_channel(address: str) -> str:
    """Tell a channel that this is a test. Its address without secrets.

    Raises BadConfiguration when the address is none, or the channel did not take the message.
    """
    fault = unusable(address)
    if fault:
        raise BadConfiguration(fault, hint=KINDS)
    error = tell(address, "sightline: a test", "Alerts will arrive here. Next: nothing to do.", "info")
    if error:
        raise BadConfiguration(
            f"{masked(address)} was not told: {error}", hint="check the address, its tokens and the network"
        )
    return masked(address)
