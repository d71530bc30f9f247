"""Whose data is to be erased, and which rows and requests are theirs. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sightline_collector.sql.catalog import quoted
from sightline_collector.wal.segment import Signal

TRACES_AT_ONCE = 2_500
"""Ids in one condition, 70 bytes each when hashed: the engine takes 256 KB of text in one statement."""

SPANS = "spans_v1"
WITHOUT_USERS = (
    "alert_deliveries_v1", "audit_v1", "baselines_v1", "dialects_v1", "losses_v1", "message_keys_v1",
    "operations_v1", "price_", "schema_v1", "settlements_v1", "settlers_v1", "sheddings_v1",
)  # fmt: skip
"""What tables begin with that hold no user's id and no content."""

_ITEMS = {Signal.TRACES: "spans", Signal.LOGS: "log_records", Signal.METRICS: "metrics"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom to forget. `redact`: also where others name them, by their id and `also` by these names."""

    user: str
    session: str = ""
    redact: bool = False
    also: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What is to be redacted."""
        return (self.session or self.user, *self.also)


@dataclass(frozen=True, slots=True)
class Subject:
    """A user, or one session of theirs. `keys`: attributes that name a user, in every dialect; `values`: what
    else than text the store spells like the user's id, as bytes of an AnyValue."""

    user: str
    session: str = ""
    keys: tuple[str, ...] = ()
    traces: frozenset[str] = field(default=frozenset())
    values: frozenset[bytes] = field(default=frozenset())

    @property
    def digest(self) -> str:
        """What a certificate says instead of the id: to be compared, and no one's data by itself."""
        return hashlib.sha256(f"{self.user}\0{self.session}".encode()).hexdigest()

    def steps(self, salt: str = "") -> Iterator[dict[str, str]]:
        """What to erase, one step after the other: tables, each with a condition for rows of the subject.

        What names no one goes with its trace; what names another user stays. With a salt the ids stand as
        salted hashes: the engine keeps the text of a deletion in a file, which would hold what it deletes.
        """
        of = partial(_among, salt=salt)
        yield self._named(of)
        ids = sorted(self.traces)
        for start in range(0, len(ids), TRACES_AT_ONCE):
            trace = of("trace_id", ids[start : start + TRACES_AT_ONCE])
            nobody_else = f"(user_id = '' or {of('user_id', [self.user])})"
            others = self._attribute(f"attributes[key] != '' and not {of('attributes[key]', [self.user])}")
            yield {
                SPANS: f"{trace} and {nobody_else}",
                "feedback_v1": f"{trace} and {nobody_else}",
                "logs_v1": f"{trace} and not {others}",
            }

    def told(self, salt: str = "") -> Iterator[dict[str, str]]:
        """What settlement has noted of the traces, in steps: to erase once nobody else has a part in them."""
        ids = sorted(self.traces)
        for start in range(0, len(ids), TRACES_AT_ONCE):
            trace = _among("trace_id", ids[start : start + TRACES_AT_ONCE], salt=salt)
            yield {"answers_v1": trace, "long_traces_v1": trace}

    def _named(self, of: Callable[[str, list[str]], str]) -> dict[str, str]:
        user = of("user_id", [self.user])
        if self.session:
            session = f"{user} and {of('session_id', [self.session])}"
            return {SPANS: session, "feedback_v1": session}
        attribute = self._attribute(of("attributes[key]", [self.user]))
        return {
            SPANS: user,
            "feedback_v1": user,
            "logs_v1": attribute,
            "metrics_v1": attribute,
            "budgets_v1": user,
            "alert_events_v1": of("labels['user_id']", [self.user]),
        }

    def _attribute(self, condition: str) -> str:
        return f"arrayExists(key -> {condition}, [{', '.join(map(quoted, self.keys))}])"


def _among(column: str, ids: list[str], *, salt: str) -> str:
    """True for rows whose column is one of the ids."""
    if not salt:
        return f"{column} in ({', '.join(map(quoted, ids))})"
    hashes = (hashlib.sha256(f"{salt}{one}".encode()).hexdigest() for one in ids)
    return f"lower(hex(SHA256(concat({quoted(salt)}, {column})))) in ({', '.join(map(quoted, hashes))})"


def without(request: Any, signal: Signal, subject: Subject) -> int:
    """Takes the subject's items out of a parsed request: how many. Empty scopes and resources go, too."""
    removed = 0
    resources = getattr(request, f"resource_{_branch(signal)}")
    for resource in resources:
        goes = _all if _names(resource.resource.attributes, subject) else partial(_is_of, subject=subject)
        for scope in _scopes(resource, signal):
            removed += _take(getattr(scope, _ITEMS[signal]), goes)
        _take(_scopes(resource, signal), lambda scope: not getattr(scope, _ITEMS[signal]))
    _take(resources, lambda resource: not _scopes(resource, signal))
    return removed


def _branch(signal: Signal) -> str:
    return "spans" if signal is Signal.TRACES else str(signal)


def _scopes(resource: Any, signal: Signal) -> Any:
    return getattr(resource, f"scope_{_branch(signal)}")


def _take(items: Any, goes: Callable[[Any], bool]) -> int:
    places = [place for place, item in enumerate(items) if goes(item)]
    for place in reversed(places):
        del items[place]
    return len(places)


def _all(_: object) -> bool:
    return True


def _is_of(item: Any, subject: Subject) -> bool:
    if getattr(item, "trace_id", b"").hex() in subject.traces:
        return True
    if _names(getattr(item, "attributes", ()), subject):
        return True
    return any(_names(point.attributes, subject) for point in _points(item))


def _points(item: Any) -> Iterable[Any]:
    """A metric's data points; nothing of what is none."""
    if "data" not in item.DESCRIPTOR.oneofs_by_name:
        return ()
    kind = item.WhichOneof("data")
    return getattr(item, kind).data_points if kind else ()


def _names(attributes: Iterable[Any], subject: Subject) -> bool:
    return any(one.key in subject.keys and _is_id(one.value, subject) for one in attributes)


def _is_id(value: Any, subject: Subject) -> bool:
    return value.string_value == subject.user or value.SerializeToString() in subject.values
