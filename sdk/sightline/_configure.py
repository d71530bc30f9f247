"""`init()`: the one place that decides what everything is made with. Reads the environment, as does
`_destination` for the collector's address.

    spans ─► SightlineProcessor ─► Shipper ─► steps: backdated, priced, Guard ─► Sender ─► collector
    feedback ─► Logger ─► Shipper ─────────────────────────────────── Guard ─► Sender ─► collector
    what was dropped ─► Ledger ─────────────────────────────────────────────► Sender ─► collector

An existing TracerProvider of the OpenTelemetry SDK is joined; otherwise one is made and becomes the global
one. The logger provider is our own: the user's logs are not ours to send.
"""

import atexit
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from sightline import _safety
from sightline._runtime import CONTENT_MODES, Content
from sightline.errors import ConfigurationError

if TYPE_CHECKING:
    from sightline._destination import Destination
    from sightline._pipeline import Pipeline
    from sightline._shipping import Limits

FLUSH_S: Final = 30.0
# OpenTelemetry keeps 128 and drops the oldest: model and usage, which are set first.
SPAN_ATTRIBUTES: Final = 1_024

Instrument = Literal["auto", False] | Sequence[str]


@dataclass(frozen=True, slots=True)
class Settings:
    """What `init()` was asked for, checked, with the environment's word taken in."""

    service_name: str | None
    destination: "Destination"
    content: Content
    instrument: "Literal['auto'] | tuple[str, ...]"
    limits: "Limits"
    span_attributes: int | None
    stream_usage: bool


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
) -> None:
    """Start observing. No network is touched; a second call changes nothing.

    `endpoint` is the collector's base URL (http://127.0.0.1:4318 unless an OTEL_EXPORTER_OTLP_* variable
    names one). `content` is "masked", "full" or "off". `instrument` is "auto" (every installed library that
    we know), a list of names, or False. With `stream_usage`, streamed chats are asked for their token counts.

    Raises ConfigurationError when a setting cannot be used.
    """
    global _running
    settings = _read(service_name, endpoint, content, instrument, headers or {}, stream_usage)
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
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
    )


@_safety.shielded
def _started(settings: Settings) -> "Pipeline":
    from sightline._pipeline import Pipeline

    return Pipeline.started(settings)


def _read(
    service_name: str | None,
    endpoint: str | None,
    content: str,
    instrument: object,
    headers: Mapping[str, str],
    stream_usage: bool,
) -> Settings:
    """The arguments win over the environment, the environment over our defaults."""
    from sightline._destination import destination
    from sightline._shipping import Limits

    limits = Limits()
    return Settings(
        service_name=service_name,
        destination=destination(endpoint, headers),
        content=_content(content),
        instrument=_instrument(instrument),
        limits=Limits(
            max_items=_number("OTEL_BSP_MAX_QUEUE_SIZE", limits.max_items),
            batch_items=_number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", limits.batch_items),
            delay_s=_number("OTEL_BSP_SCHEDULE_DELAY", round(limits.delay_s * 1000)) / 1000,
        ),
        span_attributes=_span_attributes(),
        stream_usage=stream_usage,
    )


def _content(content: str) -> Content:
    if content not in CONTENT_MODES:
        raise ConfigurationError(f"content is {content!r}; it may be one of {', '.join(CONTENT_MODES)}")
    return content


def _instrument(instrument: object) -> "Literal['auto'] | tuple[str, ...]":
    from sightline.instrument import KNOWN

    if instrument is False:
        return ()
    if instrument == "auto":
        return "auto"
    names = tuple(instrument) if isinstance(instrument, list | tuple | set | frozenset) else (instrument,)
    unknown = sorted(str(name) for name in names if name not in KNOWN)
    if unknown:
        raise ConfigurationError(
            f'instrument names {", ".join(unknown)}; it may be "auto", False, or a list of {", ".join(KNOWN)}'
        )
    return names


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable, "").strip()
    if not text:
        return default
    if not text.isdigit() or int(text) == 0:
        raise ConfigurationError(f"{variable} is {text!r}; it must be a whole number above 0")
    return int(text)


def _span_attributes() -> int | None:
    """The most attributes that a span keeps; None leaves it to OpenTelemetry and its variables."""
    named = ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT")
    return None if any(os.environ.get(variable) for variable in named) else SPAN_ATTRIBUTES
