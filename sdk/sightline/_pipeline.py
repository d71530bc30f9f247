"""The SDK's parts, joined; `_configure.init` decides what they are made with."""

import functools
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from sightline import _runtime, instrument
from sightline._background import EXIT_S, evaluations
from sightline._delivery.delivery import Delivery
from sightline._log_export import exporting
from sightline._outgoing import Step, backdated, counted, priced
from sightline._provider import provider_for
from sightline._sampling import Sampler
from sightline._spans.processor import SightlineProcessor
from sightline._spans.quick import runtime_of
from sightline.budget import _guard
from sightline.budget._status import port_of
from sightline.masking import Guard
from sightline.masking._hashing import Hasher

if TYPE_CHECKING:
    from sightline._settings import Settings

STOP_S: Final = 7.0  # evaluations, then what is to be sent; orchestrators kill after 10 s and more

# A provider outlives a shutdown (OpenTelemetry allows one global provider a process): its processor waits.
joined: "WeakKeyDictionary[TracerProvider, SightlineProcessor]" = WeakKeyDictionary()


@dataclass(slots=True)
class Pipeline:
    """Everything that runs between `init()` and `shutdown()`."""

    delivery: Delivery
    resource: Resource
    sampler: Sampler | None = None
    processor: SightlineProcessor = field(init=False)
    _loaded: list[instrument.Loaded] = field(default_factory=list)
    _before: _runtime.Runtime = field(init=False)
    _guard_before: _guard.Guard | None = field(init=False)
    _undo_logs: Callable[[], None] = field(init=False)

    @classmethod
    def started(cls, settings: "Settings") -> "Pipeline":
        provider = provider_for(settings)
        guard = Guard(settings.content)
        sampler = Sampler(settings.sampling) if settings.sampling else None
        steps = outgoing_steps(guard, sampler)
        pipeline = cls(
            Delivery(
                settings, guard.resource(provider.resource), steps, lambda record: guarded_log(record, guard)
            ),
            provider.resource,
            sampler,
        )
        pipeline._join(provider, settings)
        pipeline.delivery.start()
        return pipeline

    @property
    def instrumented(self) -> tuple[str, ...]:
        return tuple(loaded.name for loaded in self._loaded if loaded.at_work)

    @property
    def spend_forgotten(self) -> dict[str, int]:
        guard = _guard.current
        return dict(guard.spending.forgotten) if guard else {}

    def stop(self) -> None:
        """Within `STOP_S`; what evaluations leave of it is for sending."""
        deadline_s = time.monotonic() + STOP_S
        evaluations.close(EXIT_S)
        evaluations.lost = None
        self._undo_logs()
        for loaded in reversed(self._loaded):
            loaded.undo()
        _runtime.use(self._before)
        _guard.stop(self._guard_before)
        self.processor.sink = self.processor.flush = None
        self.delivery.close(deadline_s - time.monotonic())

    def _join(self, provider: TracerProvider, settings: "Settings") -> None:
        if provider not in joined:
            joined[provider] = SightlineProcessor()
            provider.add_span_processor(joined[provider])
        self.processor = joined[provider]
        put = self.delivery.spans.put
        self.processor.sink = self.sampler.passing(put) if self.sampler else put
        self.processor.flush = self.delivery.flush
        evaluations.lost = functools.partial(self.delivery.ledger.add, "evaluations")
        self._guard_before = self._guarding(settings)
        loggers = LoggerProvider(self.resource, shutdown_on_exit=False)
        loggers.add_log_record_processor(LogForwarder(self.delivery.logs.put))
        self._before = _runtime.use(runtime_of(provider, loggers, captures=settings.content.captures))
        wiring = instrument.Wiring(provider, loggers, settings.content.captures, settings.stream_usage)
        self._loaded = instrument.load(settings.instrument, wiring)
        self._undo_logs = exporting(settings.logs, loggers)

    def _guarding(self, settings: "Settings") -> _guard.Guard | None:
        budget, privacy = settings.budget, settings.content
        collector = port_of(budget, settings.destination.traces)
        user = Hasher(privacy.hash_key).user_id if privacy.hash_user_ids else str
        known = _guard.Known(str(self.resource.attributes.get("service.name", "")), user)
        return _guard.start(budget, collector, known)


def outgoing_steps(guard: Guard, sampler: Sampler | None = None) -> tuple[Step, ...]:
    """What every span goes through, in this order: its day decides its price, and the guard comes last."""
    steps = backdated, counted, priced, guard
    return (sampler.thin, *steps) if sampler else steps


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
    """The record with what may leave of its attributes and its body; a copy, for it may be sent again."""
    inner = copy(record.log_record)
    guard.log(inner)
    resource = guard.resource(record.resource or Resource.get_empty())
    return ReadableLogRecord(inner, resource, record.instrumentation_scope, record.limits)
