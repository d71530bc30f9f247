"""A refusal in ClickHouse's words: its code, its name, and the HTTP status its server would give."""

from __future__ import annotations

import re

from sightline_collector.errors import StoreRefused, StoreUnreachable

SYNTAX_ERROR = 62
READONLY = 164
TIMEOUT_EXCEEDED = 159

# ClickHouse's own exceptionCodeToHTTPStatus, as far as a statement that reads can meet it.
_STATUS = {
    27: 400, 41: 400, 43: 400, 53: 400, 62: 400, 69: 400, 70: 400, 72: 400, 386: 400, 456: 400, 457: 400,
    46: 404, 47: 404, 50: 404, 60: 404, 73: 404, 81: 404, 115: 404,
    159: 408, 202: 429, 229: 413, 48: 501, 164: 403, 497: 403, 210: 503,
}  # fmt: skip


class Refused(Exception):  # noqa: N818 - named as the answer is: the request was refused
    """A request that is not answered: ClickHouse's code and name, the message, what to do instead."""

    def __init__(
        self, code: int, name: str, message: str, *, hint: str = "", status: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.name = name
        self.message = message
        self.hint = hint
        self.status = status or _STATUS.get(code, 500)

    def __str__(self) -> str:
        said = f"{self.message}. {self.hint}" if self.hint else self.message
        named = "" if said.endswith(f"({self.name})") else f". ({self.name})"
        return f"Code: {self.code}. DB::Exception: {said}{named}"


def access_denied(message: str, hint: str = "") -> Refused:
    """What exists is not for readers of this port."""
    return Refused(497, "ACCESS_DENIED", message, hint=hint)


def not_read_only(message: str, hint: str = "") -> Refused:
    """The statement would do more than read."""
    return Refused(READONLY, "READONLY", message, hint=hint)


def not_implemented(message: str, hint: str = "") -> Refused:
    """A part of the protocol that is not spoken here."""
    return Refused(48, "NOT_IMPLEMENTED", message, hint=hint)


def of_store(fault: StoreRefused | StoreUnreachable) -> Refused:
    """The store's refusal, passed on in its own words."""
    if isinstance(fault, StoreUnreachable):
        return Refused(210, "NETWORK_ERROR", fault.message, hint=fault.hint)
    named = re.search(r"\(([A-Z][A-Z_0-9]+)\)$", fault.message)
    return Refused(fault.code or 1001, named[1] if named else "STD_EXCEPTION", fault.message)
