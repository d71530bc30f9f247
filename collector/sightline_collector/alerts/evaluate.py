"""The state of one rule's instance, from one look to the next. Pure: the time is an argument.

                 true                  true all through `hold`
    inactive ───────────▶ pending ────────────────────────────▶ firing ◀─┐
        ▲                    │                                   │  │    │ true again
        │◀───────────────────┘ false                       false │  └────┘ before `keep_firing`
        │                                                        │ false all through `keep_firing`
        │          true: as from inactive                        ▼
        └─────────────────────────────────────────────────── resolved

People are told when an instance comes to fire, unless they were told of it less than `cooldown` ago: then
they are told once that has passed, if it fires still. They are told that it is over only if they were told
that it began. No data counts as false (ok), leaves everything as it is (keep), or counts as true (alert).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sightline_collector.alerts.rule import Labels, Rule

State = Literal["inactive", "pending", "firing", "resolved"]


@dataclass(frozen=True, slots=True)
class Observation:
    """What the rule's query says of one instance: `samples` is None when the query does not count."""

    labels: Labels
    value: float
    samples: int | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """Where one instance stands: whether people were `told` of this firing, and when last of any."""

    state: State = "inactive"
    since: datetime | None = None
    false_since: datetime | None = None
    told: bool = False
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """An instance came into a state, or people are told late that it fires; `notify`: they are told now."""

    labels: Labels
    state: State
    value: float | None
    samples: int | None
    notify: bool


NEW = Instance()


def observations(rows: Iterable[Mapping[str, Any]]) -> list[Observation]:
    """The rows of a rule's query. A row whose value is NULL is no observation.

    Raises ValueError when a row has no column named value, or one that is no number.
    """
    found = []
    for row in rows:
        if "value" not in row:
            raise ValueError("the rule's query gives no column named value")
        if row["value"] is None:
            continue
        labels = tuple((k, str(v)) for k, v in row.items() if k not in ("value", "samples"))
        samples = row.get("samples")
        found.append(Observation(labels, float(row["value"]), None if samples is None else int(samples)))
    return found


def evaluate(
    rule: Rule, instances: Mapping[Labels, Instance], seen: Iterable[Observation], now: datetime
) -> tuple[dict[Labels, Instance], list[Transition]]:
    """The instances after one look, and what changed. Too few samples are no data."""
    enough = {o.labels: o for o in seen if o.samples is None or o.samples >= rule.min_samples}
    known: dict[Labels, Instance] = dict(instances)
    if rule.no_data == "alert" and not enough and not known:
        known[()] = NEW
    after: dict[Labels, Instance] = {}
    changes: list[Transition] = []
    for labels in [*known, *(labels for labels in enough if labels not in known)]:
        observed = enough.get(labels)
        before = known.get(labels, NEW)
        # The instance without labels stands for no data at all, so any row ends it.
        verdict = False if not labels and enough and observed is None else _verdict(rule, observed)
        instance = before if verdict is None else step(rule, before, verdict, now)
        if _worth_keeping(rule, instance):
            after[labels] = instance
        changes += _changes(before, instance, labels, observed)
    return after, changes


def _worth_keeping(rule: Rule, instance: Instance) -> bool:
    """Instances that are quiet and were never told of are forgotten, unless their silence is an alert."""
    return instance.state in ("pending", "firing") or instance.told_at is not None or rule.no_data == "alert"


def _verdict(rule: Rule, observed: Observation | None) -> bool | None:
    """Whether the condition is true; None when nothing is to change."""
    if observed is not None:
        return rule.holds(observed.value)
    return {"ok": False, "keep": None, "alert": True}[rule.no_data]


def step(rule: Rule, instance: Instance, true: bool, now: datetime) -> Instance:
    """One instance after one verdict."""
    if instance.state == "firing":
        return _firing(rule, instance, true, now)
    if not true:
        quiet = instance.state in ("inactive", "resolved")
        return instance if quiet else replace(instance, state="inactive", since=now)
    since = instance.since if instance.state == "pending" and instance.since else now
    if now - since < rule.hold:
        return replace(instance, state="pending", since=since)
    return _tell(rule, replace(instance, state="firing", since=now, false_since=None, told=False), now)


def _firing(rule: Rule, instance: Instance, true: bool, now: datetime) -> Instance:
    if true:
        return _tell(rule, replace(instance, false_since=None), now)
    false_since = instance.false_since or now
    if now - false_since < rule.keep_firing:
        return replace(instance, false_since=false_since)
    return replace(instance, state="resolved", since=now, false_since=None)


def _tell(rule: Rule, instance: Instance, now: datetime) -> Instance:
    """The firing instance, told of now if it was not yet and the cooldown lets it be."""
    cooling = instance.told_at is not None and now - instance.told_at < rule.cooldown
    return instance if instance.told or cooling else replace(instance, told=True, told_at=now)


def _changes(
    before: Instance, after: Instance, labels: Labels, observed: Observation | None
) -> list[Transition]:
    told_now = after.told and (not before.told or before.state != "firing")
    if after.state == before.state and not (after.state == "firing" and told_now):
        return []
    notify = told_now if after.state == "firing" else after.state == "resolved" and before.told
    value = observed.value if observed else None
    samples = observed.samples if observed else None
    return [Transition(labels, after.state, value, samples, notify)]
