"""Why something could not be sent: the reasons by name, and what may still be done about it."""

from dataclasses import dataclass
from typing import Final

QUEUE_FULL: Final = "queue_full"
EXPORT_FAILED: Final = "export_failed"
UNREACHABLE: Final = "unreachable"
NO_OTLP: Final = "no_otlp"
REJECTED: Final = "rejected"
CLOSED: Final = "closed"
UNENCODABLE: Final = "unencodable"
TOO_LARGE: Final = "too_large"
SPOOL_FULL: Final = "spool_full"
SPOOL_FAILED: Final = "spool_failed"
SPOOL_DAMAGED: Final = "spool_damaged"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a batch was not taken. `later`: waiting may help, `after_s` at least. `splits`: its parts may be
    taken one by one. `items`: how many were refused when the others were taken. `detail` is for people.
    """

    reason: str = EXPORT_FAILED
    later: bool = False
    splits: bool = False
    detail: str = ""
    after_s: float = 0.0
    items: int | None = None
