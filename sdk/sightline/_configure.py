"""`init()`: the one place that decides what everything is made with; `_settings` reads what was asked for.

    spans ─► SightlineProcessor ─► Shipper ─► steps: backdated, priced, Guard ─► Sender ─► collector
    feedback ─► Logger ─► Shipper ─────────────────────────────────── Guard ─► Sender ─► collector
    what was dropped ─► Ledger ─────────────────────────────────────────────► Sender ─► collector

An existing TracerProvider of the OpenTelemetry SDK is joined; otherwise one is made and becomes the global
one. The logger provider is our own: the user's logs are not ours to send.
"""

import atexit
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sightline import _safety
from sightline._runtime import Content
from sightline._settings import Instrument, Settings, disabled, read

if TYPE_CHECKING:
    from sightline._caps import Budget
    from sightline._pipeline import Pipeline

FLUSH_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Health:
    """How the SDK itself is doing; counts since `init()`, faults since the start of the process."""

    initialised: bool
    instrumented: tuple[str, ...] = ()
    sent: Mapping[str, int] = field(default_factory=dict)  # by signal
    queued: Mapping[str, int] = field(default_factory=dict)  # by signal
    lost: Mapping[tuple[str, str], int] = field(default_factory=dict)  # by signal and reason
    faults: Mapping[str, int] = field(default_factory=dict)  # faults of ours that were hidden, by place
    last_fault: str | None = None
    spend_forgotten: Mapping[str, int] = field(
        default_factory=dict
    )  # traces, sessions, ... of budgets, by kind


_lock = threading.Lock()
_running: "tuple[Settings, Pipeline] | None" = None


def init(
    service_name: str | None = None,
    endpoint: str | None = None,
    content: Content = "masked",
    instrument: Instrument = "auto",
    *,
    headers: Mapping[str, str] | None = None,
    stream_usage: bool = True,
    budget: "Budget | None" = None,
) -> None:
    """Start observing. No network is touched; a second call changes nothing.

    `endpoint` is the collector's base URL (http://127.0.0.1:4318 unless an OTEL_EXPORTER_OTLP_* variable
    names one). `content` is "masked", "full" or "off". `instrument` is "auto" (every installed library that
    we know), a list of names, or False. With `stream_usage`, streamed chats are asked for their token counts.
    `budget` limits what model calls may cost; see `sightline.budget`.

    Raises ConfigurationError when a setting cannot be used.
    """
    global _running
    settings = read(service_name, endpoint, content, instrument, headers or {}, stream_usage, budget=budget)
    if disabled():
        _safety.log.info("Sightline stays off: OTEL_SDK_DISABLED is set")
        return
    with _lock:
        if _running is not None:
            if _running[0] != settings:
                _safety.log.warning(
                    "sightline.init() was called again with other settings; the first ones stay"
                )
            return
        pipeline = _started(settings)
        if pipeline is not None:
            _running = settings, pipeline
            atexit.register(shutdown)


def flush(timeout_s: float = FLUSH_S) -> bool:
    """Wait until everything recorded so far is sent or counted as lost.

    False when time ran out first, or when no collector is there to take it; then it waits on.
    """
    running = _running
    return bool(_safety.shielded(running[1].flush)(timeout_s)) if running else True


def shutdown() -> None:
    """Send what is there and stop; also runs at a normal exit. `init()` may be called again afterwards."""
    global _running
    with _lock:
        running, _running = _running, None
    if running:
        atexit.unregister(shutdown)
        _safety.shielded(running[1].stop)()


def health() -> Health:
    """What was sent, what waits, what was lost, and which faults of ours were hidden from the program."""
    faults, last_fault = _safety.faults()
    if _running is None:
        return Health(False, faults=faults, last_fault=last_fault)
    pipeline = _running[1]
    return Health(
        initialised=True,
        instrumented=pipeline.instrumented,
        sent={"traces": pipeline.spans.sent, "logs": pipeline.logs.sent},
        queued={"traces": pipeline.spans.queued, "logs": pipeline.logs.queued},
        lost=pipeline.ledger.total(),
        faults=faults,
        last_fault=last_fault,
        spend_forgotten=pipeline.spend_forgotten,
    )


@_safety.shielded
def _started(settings: Settings) -> "Pipeline":
    from sightline._pipeline import Pipeline

    return Pipeline.started(settings)
