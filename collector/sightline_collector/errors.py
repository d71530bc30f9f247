"""Every fault the collector names, and what its sender or its operator is to do about it.

Fault                            carries a reason (its name in counters), a message, and a hint: the next step
├── SenderFault                  the same bytes would be refused again: the sender must not retry
│   ├── Malformed                400  INVALID_ARGUMENT    does not parse, or breaks a rule of OTLP
│   ├── TooLarge                 413  RESOURCE_EXHAUSTED  too many bytes or items, before or after inflating
│   ├── LargeHead                431  RESOURCE_EXHAUSTED  headers without end
│   ├── UnsupportedMedia         415  INVALID_ARGUMENT    a content type or encoding that is not spoken here
│   ├── UnknownPath              404  UNIMPLEMENTED
│   ├── WrongMethod              405  UNIMPLEMENTED
│   └── SlowBody                 408  DEADLINE_EXCEEDED   the body did not arrive in time
├── AccessFault                  who sent it may not: another key may
│   ├── Unauthenticated          401  UNAUTHENTICATED     no key, or none that is in force
│   └── Forbidden                403  PERMISSION_DENIED   the key is for something else
├── WaitingMayHelp               carries retry_after_s: the same bytes may be accepted then
│   ├── LogFull                  503  UNAVAILABLE         the log has reached its bound
│   ├── LogUnwritable            503  UNAVAILABLE         the disk refused: full, read-only, broken
│   ├── LogClosed                503  UNAVAILABLE         the collector is stopping
│   ├── TooManyConnections       503  UNAVAILABLE         the port holds as many as it may
│   ├── Overloaded               429  RESOURCE_EXHAUSTED  too many request bytes in flight
│   └── OverAllowance            429  RESOURCE_EXHAUSTED  the key has sent all that it may until later
└── OwnFault                     500  INTERNAL            ours, or the operator's to mend
    ├── FolderInUse              another collector holds the log folder
    ├── FolderUnusable           the log folder cannot be created, written or understood
    ├── PortTaken                a listening address cannot be bound
    ├── BadConfiguration         a flag, a variable or the file says what cannot be
    ├── StoreUnreachable         the store does not answer
    ├── StoreRefused             the store answered with an error; carries the engine's code
    ├── StoreNewer               a later version of this program has changed the store
    └── StoreDiffers             its tables are made otherwise, and no migration leads from there to here

HTTP status and gRPC code are chosen here and nowhere else. OTLP 1.11: over HTTP only 429, 502, 503 and
504 are retried; over gRPC RESOURCE_EXHAUSTED only with a RetryInfo, which WaitingMayHelp alone carries.
"""

from enum import IntEnum
from typing import ClassVar


class Code(IntEnum):
    """The google.rpc.Code values that are answered; the numbers are gRPC's own."""

    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


class Fault(Exception):  # noqa: N818 - the tree is named after whose fault it is
    """What went wrong (message), its stable short name (reason), and what to do next (hint)."""

    http_status: ClassVar[int] = 500
    grpc_code: ClassVar[Code] = Code.INTERNAL
    reason: str = "internal"

    def __init__(self, message: str, *, hint: str, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if reason is not None:
            self.reason = reason

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}."


class SenderFault(Fault):
    """The request can never be accepted as it is. `items`: how many it held, 0 when that is unknown."""

    http_status = 400
    grpc_code = Code.INVALID_ARGUMENT

    def __init__(self, message: str, *, hint: str, reason: str | None = None, items: int = 0) -> None:
        super().__init__(message, hint=hint, reason=reason)
        self.items = items


class Malformed(SenderFault):
    """The body is not an OTLP request of its signal."""

    reason = "malformed"


class TooLarge(SenderFault):
    """The request is beyond a size or count that is admitted."""

    http_status = 413
    grpc_code = Code.RESOURCE_EXHAUSTED
    reason = "too_large"


class LargeHead(SenderFault):
    """The headers are beyond what is admitted."""

    http_status = 431
    grpc_code = Code.RESOURCE_EXHAUSTED
    reason = "large_head"


class UnsupportedMedia(SenderFault):
    """The content type or content encoding is not one of those spoken here."""

    http_status = 415
    reason = "unsupported_type"


class UnknownPath(SenderFault):
    """Nothing is served under this path."""

    http_status = 404
    grpc_code = Code.UNIMPLEMENTED
    reason = "unknown_path"


class WrongMethod(SenderFault):
    """The path exists, the HTTP method on it does not."""

    http_status = 405
    grpc_code = Code.UNIMPLEMENTED
    reason = "wrong_method"


class SlowBody(SenderFault):
    """The body stopped coming before it was whole."""

    http_status = 408
    grpc_code = Code.DEADLINE_EXCEEDED
    reason = "slow_body"


class AccessFault(Fault):
    """Nothing is said against the request, but against who sent it. Nobody's loss is counted for it."""

    http_status = 401
    grpc_code = Code.UNAUTHENTICATED


class Unauthenticated(AccessFault):
    """There is no key with the request, or none that is in force."""

    reason = "unauthenticated"


class Forbidden(AccessFault):
    """The key is in force, but not for this."""

    http_status = 403
    grpc_code = Code.PERMISSION_DENIED
    reason = "forbidden"


class WaitingMayHelp(Fault):
    """The same request may succeed after `retry_after_s` seconds: 1 to 3, clients give up after 10 in all."""

    http_status = 503
    grpc_code = Code.UNAVAILABLE
    reason = "unavailable"

    def __init__(self, message: str, *, hint: str, retry_after_s: int = 1, reason: str | None = None) -> None:
        super().__init__(message, hint=hint, reason=reason)
        self.retry_after_s = retry_after_s


class LogFull(WaitingMayHelp):
    """The log holds as many bytes or pending records as it may."""

    reason = "log_full"


class LogUnwritable(WaitingMayHelp):
    """The operating system refused a write or a sync; nothing of this request was acknowledged."""

    reason = "log_unwritable"


class LogClosed(WaitingMayHelp):
    """The log takes no more records: the collector is stopping."""

    reason = "stopping"


class TooManyConnections(WaitingMayHelp):
    """The port holds as many connections as it may."""

    reason = "too_many_connections"


class Overloaded(WaitingMayHelp):
    """More request bytes are being received than memory is set aside for."""

    http_status = 429
    grpc_code = Code.RESOURCE_EXHAUSTED
    reason = "overloaded"


class OverAllowance(WaitingMayHelp):
    """The key has used up what it may send in this second or on this day."""

    http_status = 429
    grpc_code = Code.RESOURCE_EXHAUSTED
    reason = "over_allowance"


class OwnFault(Fault):
    """Not the sender's doing, and waiting will not mend it."""


class FolderInUse(OwnFault):
    """Another living process holds the lock of the log folder."""

    reason = "folder_in_use"


class FolderUnusable(OwnFault):
    """The log folder cannot be created, written, or holds what this program did not write."""

    reason = "folder_unusable"


class PortTaken(OwnFault):
    """A listening address cannot be bound."""

    reason = "port_taken"


class BadConfiguration(OwnFault):
    """A flag, an environment variable or the configuration file says what cannot be."""

    reason = "bad_configuration"


class StoreUnreachable(OwnFault):
    """The store does not answer at its address."""

    reason = "store_unreachable"


class StoreNewer(OwnFault):
    """The store was changed by a later version of this program."""

    reason = "store_newer"


class StoreDiffers(OwnFault):
    """The store's tables were made by a build of this program that made them otherwise."""

    reason = "store_differs"


class StoreRefused(OwnFault):
    """The store answered with an error. `code` is ClickHouse's number for it, 0 when it gave none."""

    reason = "store_refused"

    def __init__(self, message: str, *, hint: str, code: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.code = code
