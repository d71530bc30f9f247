"""An alert's transition as it is stored and told, and the states that stored ones add up to. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sightline_collector.alerts.evaluate import NEW, Instance, State, Transition
from sightline_collector.alerts.rule import Labels, Rule

Kind = Literal["rule", "budget"]
Severity = Literal["info", "warning", "critical"]


@dataclass(frozen=True, slots=True)
class Event:
    """One row of alert_events_v1; `notify`: people are told of it."""

    at: datetime
    kind: Kind
    key: str
    labels: Labels
    state: State
    severity: Severity
    value: float | None
    threshold: float | None
    title: str
    message: str
    notify: bool
    window_start: datetime | None = None
    window_end: datetime | None = None
    resolved_before: int = 0

    @property
    def event_id(self) -> str:
        """The same for the same thing: a rule's transition at a time; a budget's threshold in a window,
        once for each time that it was resolved there."""
        moment = (self.window_start, self.resolved_before) if self.kind == "budget" else self.at
        text = repr((self.kind, self.key, self.labels, self.state, self.threshold, moment))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def row(self) -> dict[str, Any]:
        """The event as a row of alert_events_v1."""
        return {
            "event_id": self.event_id,
            "at": stored_time(self.at, "milliseconds"),
            "kind": self.kind,
            "key": self.key,
            "labels": dict(self.labels),
            "state": self.state,
            "severity": self.severity,
            "value": self.value,
            "threshold": self.threshold,
            "window_start": self.window_start and stored_time(self.window_start, "seconds"),
            "window_end": self.window_end and stored_time(self.window_end, "seconds"),
            "title": self.title,
            "message": self.message,
            "notify": int(self.notify),
        }


def stored_time(at: datetime, precision: str) -> str:
    """A UTC time as the engine reads it."""
    return at.replace(tzinfo=None).isoformat(" ", precision)


def rule_event(rule: Rule, change: Transition, now: datetime) -> Event:
    """The event of a rule's transition."""
    state = {"firing": "", "resolved": "over"}.get(change.state, change.state)
    return Event(
        at=now,
        kind="rule",
        key=rule.name,
        labels=change.labels,
        state=change.state,
        severity=rule.severity,
        value=change.value,
        threshold=rule.threshold,
        title=rule.title(change.labels, state),
        message=rule.message(change.value, change.samples, change.labels),
        notify=change.notify,
    )


def restored(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[Labels, Instance]]:
    """By rule, the instances as the stored transitions (oldest first) left them."""
    found: dict[str, dict[Labels, Instance]] = {}
    for row in rows:
        instances = found.setdefault(str(row["key"]), {})
        labels = tuple((str(k), str(v)) for k, v in row["labels"].items())
        instances[labels] = _followed(instances.get(labels, NEW), row)
    return found


def _followed(before: Instance, row: Mapping[str, Any]) -> Instance:
    state, at, notified = row["state"], row["at"], bool(row["notify"])
    since = before.since if state == before.state else at
    if state != "firing":
        return replace(before, state=state, since=since)
    told = notified or (before.state == "firing" and before.told)
    return replace(before, state=state, since=since, told=told, told_at=at if notified else before.told_at)
