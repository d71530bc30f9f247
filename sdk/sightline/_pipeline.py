"""The SDK's parts, joined; `_configure.init` decides what they are made with."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider

from sightline import _budget_guard, _clock, _runtime, _safety, attributes, instrument
from sightline._budget_status import address_of
from sightline._loss import Ledger
from sightline._outgoing import Step, backdated, prepare, priced
from sightline._processor import SightlineProcessor
from sightline._quick_spans import runtime_of
from sightline._sender import Sender
from sightline._shipping import Refusal, Shipper
from sightline._span_attributes import attributes_of
from sightline._undelivered import lost
from sightline.masking import Guard

if TYPE_CHECKING:
    from sightline._settings import Settings

# How long an exit may wait. A full queue takes 3 s; a dead collector would take for ever.
CLOSE_S = 5.0
CLOSE_UNREACHABLE_S = 1.0  # the latest attempt has failed already

# A provider outlives a shutdown (OpenTelemetry allows one global provider a process): its processor waits.
_processors: "WeakKeyDictionary[TracerProvider, SightlineProcessor]" = WeakKeyDictionary()


@dataclass(slots=True)
class Pipeline:
    """Everything that runs between `init()` and `shutdown()`."""

    sender: Sender
    guard: Guard
    ledger: Ledger
    resource: Resource
    steps: Sequence[Step]
    spans: Shipper[ReadableSpan] = field(init=False)
    logs: Shipper[ReadableLogRecord] = field(init=False)
    processor: SightlineProcessor = field(init=False)
    _loaded: list[instrument.Loaded] = field(default_factory=list)
    _before: _runtime.Runtime = field(init=False)
    _guard_before: _budget_guard.Guard | None = field(init=False)

    @classmethod
    def started(cls, settings: "Settings") -> "Pipeline":
        provider = _provider(settings)
        guard = Guard(settings.content)
        pipeline = cls(
            Sender(settings.destination), guard, Ledger(), provider.resource, outgoing_steps(guard)
        )
        pipeline.spans = Shipper(
            "spans",
            pipeline._send_spans,
            weigh=span_bytes,
            lost=pipeline._lost("traces"),
            limits=settings.limits,
        )
        pipeline.logs = Shipper(
            "logs", pipeline._send_logs, weigh=log_bytes, lost=pipeline._lost("logs"), limits=settings.limits
        )
        pipeline._join(provider, settings)
        return pipeline

    @property
    def instrumented(self) -> tuple[str, ...]:
        return tuple(loaded.name for loaded in self._loaded)

    @property
    def spend_forgotten(self) -> dict[str, int]:
        guard = _budget_guard.current
        return dict(guard.spending.forgotten) if guard else {}

    def flush(self, timeout_s: float) -> bool:
        """Spans first: what they lose is told with the logs."""
        flushed = self.spans.flush(timeout_s) & self.logs.flush(timeout_s)
        self._tell_losses()
        return flushed

    def stop(self) -> None:
        for loaded in reversed(self._loaded):
            loaded.undo()
        _runtime.use(self._before)
        _budget_guard.stop(self._guard_before)
        self.processor.sink = self.processor.flush = None
        patience_s = CLOSE_S if self.sender.reachable else CLOSE_UNREACHABLE_S
        deadline_s = time.monotonic() + patience_s
        self.spans.close(patience_s)
        self.logs.close(max(deadline_s - time.monotonic(), 0.0))
        self._tell_losses()
        self.sender.close()
        self.spans.flush(CLOSE_UNREACHABLE_S)  # the batch that was on its way comes back, and is counted
        for (signal, reason), items in self.ledger.take().items():
            address = self.sender.route("traces" if signal == "traces" else "logs").address
            _safety.log.warning("%s", lost(items, signal, reason, address))

    def _join(self, provider: TracerProvider, settings: "Settings") -> None:
        if provider not in _processors:
            _processors[provider] = SightlineProcessor()
            provider.add_span_processor(_processors[provider])
        self.processor = _processors[provider]
        self.processor.sink, self.processor.flush = self.spans.put, self.flush
        self._guard_before = self._guarding(settings)
        loggers = LoggerProvider(self.resource, shutdown_on_exit=False)
        loggers.add_log_record_processor(LogForwarder(self.logs.put))
        self._before = _runtime.use(runtime_of(provider, loggers, captures=settings.content != "off"))
        wiring = instrument.Wiring(provider, loggers, settings.content != "off", settings.stream_usage)
        self._loaded = instrument.load(settings.instrument, wiring)

    def _guarding(self, settings: "Settings") -> _budget_guard.Guard | None:
        budget, service = settings.budget, str(self.resource.attributes.get("service.name", ""))
        collector = address_of(budget.collector, settings.destination.traces.url) if budget else ""
        return _budget_guard.start(budget, service, collector)

    def _lost(self, signal: str) -> Callable[[str, int], None]:
        return lambda reason, items: self.ledger.add(signal, reason, items)

    def _send_spans(self, batch: Sequence[ReadableSpan]) -> Refusal | None:
        refusal = self.sender.spans(prepare(batch, self.steps), len(batch))
        if refusal is None:
            self._tell_losses()
        return refusal

    def _send_logs(self, batch: Sequence[ReadableLogRecord]) -> Refusal | None:
        return self.sender.logs((guarded_log(record, self.guard) for record in batch), len(batch))

    @_safety.shielded
    def _tell_losses(self) -> None:
        if not self.sender.reachable:
            return
        losses = self.ledger.take()
        told = not losses
        try:
            records = [loss_record(*loss, items, self.resource) for loss, items in losses.items()]
            told = told or self.sender.logs(records, len(records)) is None
        finally:
            if not told:
                self.ledger.give_back(losses)


def outgoing_steps(guard: Guard) -> tuple[Step, ...]:
    """What every span goes through, in this order: its day decides its price, and the guard comes last."""
    return backdated, priced, guard


class LogForwarder(LogRecordProcessor):
    """Hands finished log records on."""

    def __init__(self, put: Callable[[ReadableLogRecord], None]) -> None:
        self._put = put

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        self._put(
            ReadableLogRecord(
                log_record.log_record,
                log_record.resource or Resource.get_empty(),
                log_record.instrumentation_scope,
                log_record.limits,
            )
        )

    def shutdown(self) -> None:
        """Nothing is held here."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


def guarded_log(record: ReadableLogRecord, guard: Guard) -> ReadableLogRecord:
    """The record with what may leave of its attributes and its body."""
    inner = record.log_record
    inner.attributes = guard.attributes(inner.attributes or {})
    inner.body = guard.body(inner.body)
    return record


def loss_record(signal: str, reason: str, items: int, resource: Resource) -> ReadableLogRecord:
    """The `sightline.loss` event of one signal and reason."""
    record = LogRecord(
        timestamp=_clock.now_ns(),
        observed_timestamp=_clock.now_ns(),
        severity_number=SeverityNumber.WARN,
        event_name=attributes.LOSS_EVENT,
        attributes={
            attributes.LOSS_ITEMS: items,
            attributes.LOSS_SIGNAL: signal,
            attributes.LOSS_REASON: reason,
            attributes.LOSS_WHERE: "sender",
        },
    )
    return ReadableLogRecord(record, resource)


_FAT_ATTRIBUTES = (
    attributes.INPUT_MESSAGES,
    attributes.OUTPUT_MESSAGES,
    attributes.INPUT,
    attributes.OUTPUT,
    attributes.TOOL_ARGUMENTS,
    attributes.TOOL_RESULT,
)
_SPAN_BYTES = 2_000  # a span object with twenty small attributes


def span_bytes(span: ReadableSpan) -> int:
    """About what a span takes in memory: a fixed sum and its content."""
    values = attributes_of(span)
    weight = _SPAN_BYTES
    for name in _FAT_ATTRIBUTES:
        if name in values and isinstance(text := values[name], str):
            weight += len(text)
    return weight


def log_bytes(record: ReadableLogRecord) -> int:
    """About what a log record takes in memory."""
    values: Any = record.log_record.attributes or {}
    return _SPAN_BYTES + sum(len(value) for value in values.values() if isinstance(value, str))


def _provider(settings: "Settings") -> TracerProvider:
    """The program's provider, if it has one of the OpenTelemetry SDK's; or a new one, made global."""
    existing = trace.get_tracer_provider()
    if isinstance(existing, TracerProvider):
        return existing
    resource = Resource.create({"service.name": settings.service_name} if settings.service_name else {})
    limits = SpanLimits(max_span_attributes=settings.span_attributes)
    provider = TracerProvider(resource=resource, span_limits=limits, shutdown_on_exit=False)
    if isinstance(existing, trace.ProxyTracerProvider):
        trace.set_tracer_provider(provider)
    else:
        _safety.log.warning(
            "%s is not OpenTelemetry's: only Sightline's spans are seen", type(existing).__name__
        )
    return provider
