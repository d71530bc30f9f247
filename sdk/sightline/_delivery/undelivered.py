"""What people are told when something could not be sent: what, to whom, why, and what to do next. Pure.

Addresses are shown without path and credentials, reasons in our own words: what a server or a library says
may repeat a header or a URL.
"""

from collections.abc import Mapping
from typing import Final

from sightline._delivery.destination import Signal
from sightline._delivery.refusal import (
    CLOSED,
    NO_OTLP,
    QUEUE_FULL,
    SPOOL_DAMAGED,
    SPOOL_FAILED,
    SPOOL_FULL,
    UNENCODABLE,
    UNREACHABLE,
    Refusal,
)

_UNITS: Final[Mapping[str, str]] = {"traces": "span", "logs": "log record", "evaluations": "evaluation"}
_WHY: Final[Mapping[str, str]] = {
    UNREACHABLE: "nobody answered there",
    NO_OTLP: "what answered there speaks another protocol",
    CLOSED: "the program ended first",
    QUEUE_FULL: "more came than could be sent, and the queue was full",
    UNENCODABLE: "they could not be written as OTLP",
    SPOOL_FULL: "the spool was full",
    SPOOL_FAILED: "the spool could not be written",
    SPOOL_DAMAGED: "their part of the spool could not be read any more",
}
_START: Final = (
    "Is the collector running? Start it with `sightline up`, or name another one with"
    " sightline.init(endpoint=...) or OTEL_EXPORTER_OTLP_ENDPOINT"
)
_PORTS: Final = "Is this an OTLP address? Sightline's collector listens on 4318 (HTTP) and 4317 (gRPC)"
_KEY: Final = "Check the API key in sightline.init(headers=...) or OTEL_EXPORTER_OTLP_HEADERS"
_NEXT: Final[Mapping[str, str]] = {
    UNREACHABLE: _START,
    CLOSED: _START,
    NO_OTLP: _PORTS,
    QUEUE_FULL: "Raise OTEL_BSP_MAX_QUEUE_SIZE, or give the collector more room",
    SPOOL_FULL: "Raise spool_max_bytes in sightline.init(), or start the collector with `sightline up`",
    SPOOL_FAILED: "Is there room in its folder, and may this user write there?",
    UNENCODABLE: "Please report it, with the names of the spans",
    "refused_401": _KEY,
    "refused_403": _KEY,
    "refused_unauthenticated": _KEY,
    "refused_permission_denied": _KEY,
    "refused_404": _PORTS,
    "refused_413": "A single one is larger than the collector takes: capture less with capture=False",
}
_OTHERWISE: Final = "The collector's own log says more"


def waiting(signal: Signal, address: str, refusal: Refusal) -> str:
    """While the program runs, and somebody may take them later."""
    return (
        f"Sightline cannot send {_UNITS[signal]}s to {address} now ({refusal.detail or refusal.reason});"
        f" they wait and will be tried again. {_NEXT.get(refusal.reason, _OTHERWISE)}."
    )


def refused(signal: Signal, address: str, refusal: Refusal) -> str:
    """While the program runs, and nobody will."""
    return (
        f"Sightline's {_UNITS[signal]}s were refused by {address} ({refusal.detail or refusal.reason})"
        f" and are lost. {_NEXT.get(refusal.reason, _OTHERWISE)}."
    )


def lost(items: int, signal: str, reason: str, address: str) -> str:
    """At the end of the program."""
    unit = _UNITS.get(signal, "item") + ("" if items == 1 else "s")
    why = _WHY.get(reason, reason.replace("_", " "))
    return f"Sightline could not send {items} {unit} to {address}: {why}. {_NEXT.get(reason, _OTHERWISE)}."
