"""What the alert loop keeps in the store: transitions, and every attempt to tell somebody of one.

An event is written before anybody is told of it, and an attempt after it was made: a collector that stops in
between tells twice rather than never.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sightline_collector.alerts.evaluate import Instance
from sightline_collector.alerts.event import Event, restored, stored_time
from sightline_collector.alerts.notify import channel_id, masked
from sightline_collector.alerts.rule import Labels
from sightline_collector.alerts.thresholds import Passed
from sightline_collector.store.engine import Engine

ATTEMPTS = 5
"""How often a channel is tried for one event before it is given up."""
FIRST_PAUSE = timedelta(seconds=30)
PAUSE_GROWS = 4
"""Pauses of 30 s, 2 min, 8 min and 32 min: an outage of three quarters of an hour loses nothing."""
TOLD_WITHIN = timedelta(hours=24)
"""An event that nobody could be told of for so long is news no more."""

Outcome = Literal["delivered", "retry", "failed"]

_TRANSITIONS = (
    "select key, labels, state, at, notify from alert_events_v1 where kind = 'rule' order by at, state"
)
_PASSED = (
    "select key, labels, threshold, severity, window_start, window_end, state, notify,"
    " countIf(state = 'resolved') over (partition by key, labels) as resolved"
    " from alert_events_v1 where kind = 'budget' and window_end > {since:DateTime}"
    " order by at desc, state desc limit 1 by key, labels"
)
_UNTOLD = (
    "select event_id, kind, key, state, severity, title, message from alert_events_v1"
    " where notify = 1 and at > {since:DateTime} order by at"
)
_ATTEMPTS = (
    "select event_id, channel, max(attempt) as attempts, argMax(outcome, attempt) as outcome, max(at) as last"
    " from alert_deliveries_v1 where at > {since:DateTime} group by event_id, channel"
)
_ADDRESSES = (
    "select id, argMax(notify, set_at) as addresses, argMax(removed, set_at) as gone from budgets_v1"
    " group by id having gone = 0"
)


@dataclass(frozen=True, slots=True)
class Due:
    """One event that one channel is to be told of now; `attempt` counts from 1."""

    event_id: str
    state: str
    severity: Literal["info", "warning", "critical"]
    title: str
    message: str
    address: str
    attempt: int


class Journal:
    """The alerts' tables of one store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def instances(self) -> dict[str, dict[Labels, Instance]]:
        """By rule, the instances as they were when last looked at."""
        rows = self._engine.rows(_TRANSITIONS)
        return restored({**row, "at": row["at"].replace(tzinfo=UTC)} for row in rows)

    def passed(self, since: datetime) -> list[Passed]:
        """The thresholds that windows passed which end after `since`, each as its last event left it."""
        return [
            Passed.of(row) for row in self._engine.rows(_PASSED, {"since": stored_time(since, "seconds")})
        ]

    def append(self, events: Sequence[Event]) -> None:
        """Keep what happened."""
        self._engine.insert("alert_events_v1", [event.row() for event in events])

    def due(self, now: datetime, rule_channels: Sequence[str]) -> list[Due]:
        """Who is to be told of what now: what is new, and what failed and has paused long enough."""
        since = {"since": stored_time(now - TOLD_WITHIN, "seconds")}
        events = self._engine.rows(_UNTOLD, since)
        if not events:
            return []
        attempts = {(row["event_id"], row["channel"]): row for row in self._engine.rows(_ATTEMPTS, since)}
        of_budget = {row["id"]: row["addresses"] for row in self._engine.rows(_ADDRESSES)}
        found = []
        for event in events:
            addresses = rule_channels if event["kind"] == "rule" else of_budget.get(event["key"], ())
            for address in dict.fromkeys(addresses):
                made = attempts.get((event["event_id"], channel_id(address)))
                if _is_due(made, now):
                    found.append(_due(event, address, made))
        return found

    def record(self, due: Due, error: str | None, now: datetime) -> Outcome:
        """Keep how an attempt ended."""
        outcome: Outcome = "delivered" if error is None else "retry" if due.attempt < ATTEMPTS else "failed"
        self._engine.insert(
            "alert_deliveries_v1",
            [
                {
                    "event_id": due.event_id,
                    "channel": channel_id(due.address),
                    "shown": masked(due.address),
                    "attempt": due.attempt,
                    "outcome": outcome,
                    "error": error or "",
                    "at": stored_time(now, "milliseconds"),
                }
            ],
        )
        return outcome


def _is_due(made: dict[str, Any] | None, now: datetime) -> bool:
    if made is None:
        return True
    pause = FIRST_PAUSE * PAUSE_GROWS ** (int(made["attempts"]) - 1)
    return bool(made["outcome"] == "retry" and now - made["last"].replace(tzinfo=UTC) >= pause)


def _due(event: dict[str, Any], address: str, made: dict[str, Any] | None) -> Due:
    return Due(
        event_id=event["event_id"],
        state=event["state"],
        severity=event["severity"],
        title=event["title"],
        message=event["message"],
        address=address,
        attempt=int(made["attempts"]) + 1 if made else 1,
    )
