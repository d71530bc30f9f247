"""Asks for a key, and says whose it is. Keys are looked up in memory; their file is looked at each second.

::

    no key was ever made ──▶ open: everyone may do everything, and sends to the project `default`
    any key was made     ──▶ shut for good: also when all are revoked, or the file is gone or cannot be read

That a key was made is kept beside the file (`key_file.MARK`) and in the data folder, so that a file that is
gone opens nothing after a restart, nor in a folder that was restored without it.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Gauge

from sightline_collector.access import key_file
from sightline_collector.access.allowance import Allowance
from sightline_collector.access.key import ALL_PROJECTS, Key, Scope, id_of, is_of
from sightline_collector.errors import BadConfiguration, Forbidden, Unauthenticated
from sightline_collector.wal.segment import DEFAULT_PROJECT

GIVE_ONE = "Send Authorization: Bearer KEY with a key of `sightline key add`"

log = structlog.get_logger(__name__)

Header = Callable[[str], str | None]
"""A request's header by its name in lower case."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `project` is None for all of them; `key` is "" when no key is asked for."""

    key: str
    project: str | None
    scopes: frozenset[Scope]
    allowance: Allowance | None = None

    @property
    def target(self) -> str:
        """Where what it sends goes."""
        return self.project or DEFAULT_PROJECT

    def may(self, scope: Scope) -> bool:
        """True for what its key says; an admin may read."""
        return scope in self.scopes or (scope is Scope.READ and Scope.ADMIN in self.scopes)


ANYONE = Caller("", None, frozenset(Scope))


class Gate:
    """The keys in force. `refresh` from one thread at a time; `caller` from any."""

    def __init__(
        self, path: Path | None = None, clock_s: Callable[[], float] = time.time, noted: Path | None = None
    ) -> None:
        """Reads the file, if one is given. Raises BadConfiguration, also when keys were made and are gone, as
        is `noted` in another place, too."""
        self._path = path
        self._noted = noted
        self._clock_s = clock_s
        self._seen: tuple[int, ...] | None = None
        self._keys: dict[str, Key] = {}
        self._allowances: dict[str, Allowance] = {}
        self.readable = True
        if path is not None:
            self._seen = _mark(path)
            self._take(key_file.read_all(path, noted=noted).keys)

    @property
    def path(self) -> Path | None:
        """The file of keys."""
        return self._path

    @property
    def shut(self) -> bool:
        """True when a key is asked for: one was made, or is in a file that cannot be read."""
        return bool(self._keys) or not self.readable

    @property
    def keys(self) -> tuple[Key, ...]:
        """All that are known, also those that are no longer in force."""
        return tuple(self._keys.values())

    @property
    def allowances(self) -> dict[str, Allowance]:
        """What each key has left."""
        return self._allowances

    def caller(self, header: Header, scope: Scope) -> Caller:
        """Who asks. Raises Unauthenticated, Forbidden, and OverAllowance where a sender has nothing left."""
        if not self.shut:
            return ANYONE
        caller = self.known(header)
        if not caller.may(scope):
            raise Forbidden(
                f"The key {caller.key} is not for this: it lacks the scope {scope}",
                hint=f"Use another, or make one: `sightline key add --scope {scope}`",
            )
        if scope is Scope.INGEST and caller.allowance:
            caller.allowance.check()
        return caller

    def known(self, header: Header) -> Caller:
        """Whose key came with a request. Raises Unauthenticated."""
        if not self.shut:
            return ANYONE
        token = token_of(header)
        if not token:
            raise Unauthenticated("There is no key with the request", hint=GIVE_ONE)
        key = self._keys.get(id_of(token) or "")
        if key is None or not is_of(token, key):
            raise Unauthenticated("The key is not known here", hint=GIVE_ONE)
        state = key.state(self._clock_s())
        if state != "active":
            raise Unauthenticated(f"The key {key.id} is {state}", hint="Ask the operator for a new one")
        project = None if key.project == ALL_PROJECTS else key.project
        return Caller(key.id, project, key.scopes, self._allowances[key.id])

    def refresh(self) -> list[Key]:
        """Reads the file again if it changed: keys that are new or were changed. Keeps what it knows when the
        file cannot be read, and says so: where it knows none, nobody comes in until it can."""
        if self._path is None:
            return []
        mark = _mark(self._path)
        if mark == self._seen and self.readable:
            return []  # what could not be read is read again: who may read it is no part of the mark
        try:
            found = key_file.read_all(self._path, noted=self._noted, made=bool(self._keys)).keys
        except BadConfiguration as e:
            self._complain(e.message)
            self._seen = mark
            return []
        self._seen = mark
        changed = [key for key in found if self._keys.get(key.id) != key]
        self._take(found)
        self.readable = True  # not before: until its keys are known, nobody is let in
        log.info("keys read", path=str(self._path), keys=len(self._keys), changed=len(changed))
        return changed

    def measure(self, registry: CollectorRegistry) -> None:
        """Shows how many keys are in force, and whether their file can be read."""
        active = Gauge("sightline_access_keys", "Keys in force", registry=registry)
        active.set_function(lambda: sum(key.state(self._clock_s()) == "active" for key in self.keys))
        readable = Gauge(
            "sightline_access_keys_readable",
            "1 when the file of keys could be read last, else 0",
            registry=registry,
        )
        readable.set_function(lambda: float(self.readable))

    def _take(self, keys: tuple[Key, ...]) -> None:
        """Key by key, so that a caller meanwhile finds the old ones or the new."""
        for key in keys:
            if key.id in self._allowances:
                self._allowances[key.id].limit(key)
            else:
                replaced = self._allowances.get(key.replaces)
                self._allowances[key.id] = replaced or Allowance(key, self._clock_s)
        if keys and self._path:
            self._keys = {key.id: key for key in keys}
            for place in (self._path, self._noted or self._path):
                with suppress(OSError):  # a folder that is not ours to write
                    key_file.mark(place)

    def _complain(self, why: str) -> None:
        if self.readable:
            log.error("the keys stay as they were" if self._keys else "nobody is let in", error=why)
        self.readable = False


def token_of(header: Header) -> str | None:
    """The key that a request carries: as Bearer, as Basic's password, as x-api-key or as ClickHouse's key."""
    kind, _, said = (header("authorization") or "").partition(" ")
    if kind.lower() == "bearer":
        return said.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(said, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return None
    return header("x-api-key") or header("x-clickhouse-key")


def _mark(path: Path) -> tuple[int, ...] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
