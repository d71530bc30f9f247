"""`init()`: the one place that decides what everything is made with; `_settings` reads what was asked for.

    spans ─► SightlineProcessor ─► Shipper ─► steps: backdated, priced, Guard ─► Sender ─► collector
    feedback ─► Logger ─► Shipper ─────────────────────────────────── Guard ─► Sender ─► collector
    what was dropped ─► Ledger ─────────────────────────────────────────────► Sender ─► collector

An existing TracerProvider of the OpenTelemetry SDK is joined; otherwise one is made and becomes the global
one. The logger provider is our own: the user's logs are sent only when `logs` asks for it.
"""

import atexit
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Final

from sightline import _safety
from sightline._background import evaluations
from sightline._children import stop_in_children
from sightline._fork import importing
from sightline._runtime import Content
from sightline._settings import SPOOL_MAX_BYTES, Instrument, Settings, disabled, read

if TYPE_CHECKING:
    from sightline._pipeline import Pipeline
    from sightline._sampling import Sampling
    from sightline.budget._caps import Budget
    from sightline.privacy import Privacy

FLUSH_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Health:
    """How the SDK itself is doing; counts since `init()`, faults since the start of the process."""

    initialised: bool
    instrumented: tuple[str, ...] = ()
    sent: Mapping[str, int] = field(default_factory=dict)  # by signal
    queued: Mapping[str, int] = field(default_factory=dict)  # by signal, in memory
    spooled: Mapping[str, int] = field(default_factory=dict)  # by signal, on disk, if a spool was chosen
    lost: Mapping[tuple[str, str], int] = field(default_factory=dict)  # by signal and reason
    bounds: Mapping[str, int] = field(default_factory=dict)  # what `queued` and `spooled` may come to
    reachable: bool = True  # whether the latest attempt found a collector
    sampled_out: int = 0  # spans left out on purpose; see Sampling
    faults: Mapping[str, int] = field(default_factory=dict)  # faults of ours that were hidden, by place
    last_fault: str | None = None
    spend_forgotten: Mapping[str, int] = field(default_factory=dict)  # sums of budgets, by what they are of


settled: Final = threading.Event()  # not while a shutdown is under way
settled.set()
_lock = threading.RLock()  # reentrant: a library that `init()` imports may call it as well
_running: "tuple[Settings, Pipeline] | None" = None
_starting = False


def init(
    service_name: str | None = None,
    endpoint: str | None = None,
    content: "Content | Privacy" = "masked",
    instrument: Instrument = "auto",
    *,
    headers: Mapping[str, str] | None = None,
    stream_usage: bool = True,
    budget: "Budget | None" = None,
    sampling: "float | Sampling" = 1.0,
    spool: "str | PathLike[str] | None" = None,
    spool_max_bytes: int = SPOOL_MAX_BYTES,
    logs: bool | int | str = False,
) -> None:
    """Start observing. No network is touched; a second call changes nothing.

    `endpoint` is the collector's base URL (http://127.0.0.1:4318 unless an OTEL_EXPORTER_OTLP_* variable
    names one). `content` is "masked", "full", "hashed", "off", or a `Privacy`. `instrument` is "auto" (every
    installed library that we know), a list of names, or False. Unless it is False, work in thread pools keeps
    its parent span. With `stream_usage`, streamed chats are asked for their token counts.
    `budget` limits what model calls may cost; see `sightline.budget`.
    `sampling` is the part of the traces that is sent whole, or a `Sampling`: what is paid for is always sent.
    `spool` is a folder, of this service alone, for what cannot be sent: at most `spool_max_bytes`, sent when
    somebody is there again, with the headers of then.
    `logs` sends the program's own log records from this level on (True: INFO) that its loggers let through.

    Raises ConfigurationError when a setting cannot be used.
    """
    settings = read(
        service_name,
        endpoint,
        content,
        instrument,
        headers or {},
        stream_usage,
        budget=budget,
        sampling=sampling,
        spool=spool,
        spool_max_bytes=spool_max_bytes,
        logs=logs,
    )
    if disabled():
        _safety.log.info("Sightline stays off: OTEL_SDK_DISABLED is set")
        return
    with _lock:
        _start_once(settings)


def _start_once(settings: Settings) -> None:
    """Under the lock: one pipeline a process, until it is shut down."""
    global _running
    if _starting:
        return
    if _running is not None:
        if _running[0] != settings:
            _safety.log.warning("sightline.init() was called again with other settings; the first ones stay")
        return
    pipeline = _started(settings)
    if pipeline is not None:
        _running = settings, pipeline
        atexit.register(shutdown)
        stop_in_children(shutdown)


def flush(timeout_s: float = FLUSH_S) -> bool:
    """Wait until evaluators are done, and everything recorded so far is sent or counted as lost.

    False when time ran out first, or when no collector is there to take it; then it waits on.
    """
    until_s = time.monotonic() + timeout_s
    running, evaluated = _running, bool(_safety.shielded(evaluations.drain)(timeout_s))
    if running is None:
        return evaluated
    left_s = max(until_s - time.monotonic(), 0.0)
    return bool(_safety.shielded(running[1].delivery.flush)(left_s)) and evaluated


def shutdown() -> None:
    """Send what is there and stop; also runs at a normal exit. `init()` may be called again afterwards."""
    global _running
    with _lock:
        if _running is not None:
            settled.clear()
        running, _running = _running, None
    if running:
        atexit.unregister(shutdown)
        try:
            _safety.shielded(running[1].stop)()
        finally:
            settled.set()


def health() -> Health:
    """What was sent, what waits, what was lost, and which faults of ours were hidden from the program."""
    faults, last_fault = _safety.faults()
    if _running is None:
        return Health(False, faults=faults, last_fault=last_fault)
    pipeline = _running[1]
    delivery = pipeline.delivery
    return Health(
        initialised=True,
        instrumented=pipeline.instrumented,
        sent={"traces": delivery.sent("traces"), "logs": delivery.sent("logs")},
        queued={
            "traces": delivery.spans.queued,
            "logs": delivery.logs.queued,
            "evaluations": evaluations.waiting,
        },
        spooled={signal: replay.waiting for signal, replay in delivery.replays.items()},
        lost=delivery.ledger.total(),
        bounds=delivery.bounds,
        reachable=delivery.sender.reachable,
        sampled_out=pipeline.sampler.left_out if pipeline.sampler else 0,
        faults=faults,
        last_fault=last_fault,
        spend_forgotten=pipeline.spend_forgotten,
    )


@_safety.shielded
def _started(settings: Settings) -> "Pipeline":
    global _starting
    with importing:  # not longer: a fork waits for it, and holds locks meanwhile that thread pools need
        from sightline._pipeline import Pipeline
    _starting = True
    try:
        return Pipeline.started(settings)
    finally:
        _starting = False


def _unlock_in_child() -> None:
    """A thread that the child does not have may hold the lock, in the middle of an `init()`."""
    global _lock, _starting
    _lock, _starting = threading.RLock(), False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock_in_child)
