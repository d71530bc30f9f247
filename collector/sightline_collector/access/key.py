"""A key: what is handed out once, and what is kept of it. Pure, but for the random numbers.

::

    sightline_4f9c01ab_Zk3...43 characters
              └ id     └ secret: 256 random bits, URL-safe base 64

Only SHA-256 of the secret is kept. A slow, salted hash protects words that people choose, which can be tried
from a list; 256 random bits are on no list, and a fast hash keeps the doors fast.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from sightline_collector.wal.segment import PROJECT

ALL_PROJECTS = "*"
RESERVED = "_"
"""Projects that begin so are the collector's own."""

TIME_S_MAX = 253_402_300_799
"""The end of the year 9999: calendars know no later time."""

_TOKEN = re.compile(r"sightline_([0-9a-f]{8})_([A-Za-z0-9_-]{43})", re.ASCII)
_SHA256 = r"^[0-9a-f]{64}$"


class Scope(StrEnum):
    """What a key is for. `admin` reads everything, too, and changes what there is to change."""

    INGEST = "ingest"
    READ = "read"
    ADMIN = "admin"


UnixTime = Annotated[int, AfterValidator(lambda at_s: min(at_s, TIME_S_MAX))]


class Key(BaseModel):
    """One key as the file keeps it. Times are Unix seconds, 0 for never; limits are None for none.

    A key that another takes the place of keeps `expires_at`, and is revoked at the end of its grace, which
    may be to come. `replaces` is the id of the one whose place this one takes, "" for none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    sha256: Annotated[str, Field(pattern=_SHA256)]
    project: str
    scopes: Annotated[frozenset[Scope], Field(min_length=1)]
    name: Annotated[str, Field(max_length=100)] = ""
    made_at: UnixTime
    made_by: str = ""
    expires_at: UnixTime = 0
    revoked_at: UnixTime = 0
    replaces: str = ""
    spans_per_s: Annotated[float | None, Field(gt=0, allow_inf_nan=False)] = None
    bytes_per_day: Annotated[int | None, Field(gt=0)] = None

    @model_validator(mode="after")
    def _checked(self) -> Key:
        if self.project == ALL_PROJECTS:
            if Scope.INGEST in self.scopes:
                raise ValueError("a key to send with is for one project, not for all")
        elif not PROJECT.match(self.project):
            raise ValueError(f"a project is 1 to 64 of A-Z a-z 0-9 . _ -, not {self.project[:80]!r}")
        elif self.project.startswith(RESERVED):
            raise ValueError(f"projects that begin with {RESERVED} are the collector's own")
        if Scope.ADMIN in self.scopes and self.project != ALL_PROJECTS:
            raise ValueError(f"an admin's key is for all projects: project {ALL_PROJECTS}")
        return self

    @property
    def ends_at(self) -> int:
        """When it is in force no longer; 0 for never."""
        return min((at_s for at_s in (self.expires_at, self.revoked_at) if at_s), default=0)

    def state(self, now_s: float) -> str:
        """active, revoked, or expired."""
        if self.revoked_at and self.revoked_at <= now_s:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= now_s else "active"


def new_token() -> tuple[str, str, str]:
    """A token nobody has seen, its id, and its secret's hash."""
    number, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    return f"sightline_{number}_{secret}", number, _digest(secret)


def id_of(token: str) -> str | None:
    """The id in a token; None for what is none."""
    found = _TOKEN.fullmatch(token)
    return found[1] if found else None


def is_of(token: str, key: Key) -> bool:
    """True when the token is this key's, compared in constant time."""
    found = _TOKEN.fullmatch(token)
    return found is not None and hmac.compare_digest(_digest(found[2]), key.sha256)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
