"""Changes to a set of keys: made, revoked, rotated. Pure, but for the random numbers."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from sightline_collector.access.key import Key, Scope, new_token
from sightline_collector.access.key_file import Keys
from sightline_collector.errors import BadConfiguration

LASTS_S_MAX = 100 * 365 * 86_400
"""A hundred years: beyond, a key for ever is meant, which has no end."""

LISTED = "`sightline key list` shows them"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key as an operator asks for it; `lasts_s` None is for ever, limits None are none."""

    project: str
    scopes: frozenset[Scope]
    name: str = ""
    lasts_s: int | None = None
    spans_per_s: float | None = None
    bytes_per_day: int | None = None


def add(keys: Keys, wanted: Wanted, by: str, now_s: int) -> tuple[Keys, Key, str]:
    """The keys with one more, that one, and its token, which is nowhere else. Raises BadConfiguration."""
    if wanted.lasts_s is not None and not 0 < wanted.lasts_s <= LASTS_S_MAX:
        why = "it would end before it is used, or not within 100 years"
        raise BadConfiguration(f"there can be no such key: {why}", hint="leave --days out for no end")
    token, number, sha256 = new_token()
    while any(key.id == number for key in keys.keys):
        token, number, sha256 = new_token()
    try:
        made = Key(
            id=number,
            sha256=sha256,
            project=wanted.project,
            scopes=wanted.scopes,
            name=wanted.name,
            made_at=now_s,
            made_by=by,
            expires_at=now_s + wanted.lasts_s if wanted.lasts_s is not None else 0,
            spans_per_s=wanted.spans_per_s,
            bytes_per_day=wanted.bytes_per_day,
        )
    except ValidationError as e:
        said = "; ".join(fault["msg"].removeprefix("Value error, ") for fault in e.errors())
        raise BadConfiguration(
            f"there can be no such key: {said}", hint="`sightline key add --help`"
        ) from None
    return Keys(keys=(*keys.keys, made)), made, token


def revoke(keys: Keys, number: str, now_s: int) -> Keys:
    """The keys with one that is in force no longer. Raises BadConfiguration."""
    key = _active(keys, number, now_s)
    return _with(keys, key.model_copy(update={"revoked_at": now_s}))


def rotate(keys: Keys, number: str, grace_s: int, by: str, now_s: int) -> tuple[Keys, Key, str]:
    """A new key like an old one, which stays in force for `grace_s` more at most. Raises BadConfiguration."""
    if not 0 <= grace_s <= LASTS_S_MAX:
        why = "it would end before now, or not within 100 years"
        raise BadConfiguration(f"there can be no such grace: {why}", hint="give --grace-days 0 for at once")
    old = _active(keys, number, now_s)
    lasts_s = old.expires_at - old.made_at if old.expires_at else None
    like = Wanted(old.project, old.scopes, old.name, lasts_s, old.spans_per_s, old.bytes_per_day)
    more, made, token = add(keys, like, by, now_s)
    made = made.model_copy(update={"replaces": old.id})
    ended = old.model_copy(update={"revoked_at": min(old.revoked_at or now_s + grace_s, now_s + grace_s)})
    return _with(_with(more, ended), made), made, token


def _active(keys: Keys, number: str, now_s: int) -> Key:
    found = next((key for key in keys.keys if key.id == number), None)
    if found is None:
        raise BadConfiguration(f"there is no key {number[:40]!r}", hint=LISTED)
    if found.state(now_s) != "active":
        raise BadConfiguration(f"the key {number} is {found.state(now_s)} already", hint=LISTED)
    return found


def _with(keys: Keys, changed: Key) -> Keys:
    return Keys(keys=tuple(changed if key.id == changed.id else key for key in keys.keys))
