"""For the tests of programs that use Sightline: captured spans as plain values, a fixed clock, counted ids.

    with testing.capture() as seen:
        answer("why?")
    assert seen.spans[0].attributes["gen_ai.agent.name"] == "answer"

`backdate` and `at` put spans into the past, for demonstrations and importers.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import opentelemetry.sdk.trace
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider

from sightline import _clock, _pipeline, _runtime, attributes, instrument
from sightline._background import EXIT_S, evaluations
from sightline._context import carrying
from sightline._counting_ids import CountingIds, counting
from sightline._delivery.destination import Route
from sightline._log_export import exporting
from sightline._outgoing import prepare
from sightline._pipeline import LogForwarder, guarded_log, outgoing_steps
from sightline._runtime import Content
from sightline._settings import SPAN_ATTRIBUTES, log_level
from sightline._spans.processor import SightlineProcessor, Sink
from sightline._spans.quick import runtime_of
from sightline.budget import _guard
from sightline.budget._caps import Budget
from sightline.budget._status import port_of
from sightline.masking import Guard
from sightline.privacy import Privacy

FIXED_START = datetime(2026, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_sdk_trace: Any = opentelemetry.sdk.trace  # its clock is a name in its module


@dataclass(frozen=True, slots=True)
class CapturedSpan:
    """A finished span as it would leave: ids in lower-case hex, times in ns since 1970."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_span_id: str | None
    start_ns: int
    end_ns: int
    status: str
    status_message: str | None
    attributes: dict[str, Any]
    events: list[tuple[str, int, dict[str, Any]]]
    links: list[tuple[str, str]] = field(default_factory=list)  # trace and span ids


@dataclass(frozen=True, slots=True)
class CapturedLog:
    """A log record as it would leave: feedback with the judged span's ids, or one of the program's own."""

    event_name: str | None
    trace_id: str
    span_id: str
    time_ns: int
    attributes: dict[str, Any]
    body: Any = None
    severity: str | None = None  # of the program's own: the level's name


@dataclass(slots=True)
class Captured:
    """What was recorded so far; spans in the order of their ends."""

    spans: list[CapturedSpan] = field(default_factory=list)
    logs: list[CapturedLog] = field(default_factory=list)

    def span(self, name: str) -> CapturedSpan:
        """The one span of this name; LookupError when there is none or more than one."""
        found = [span for span in self.spans if span.name == name]
        if len(found) != 1:
            names = [span.name for span in self.spans]
            raise LookupError(f"{len(found)} spans are named {name!r}; recorded were {names}")
        return found[0]


@contextmanager
def capture(
    *,
    content: Content | Privacy = "full",
    instrument_libraries: Sequence[str] = (),
    clock: _clock.Clock | None = None,
    stream_usage: bool = True,
    budget: Budget | None = None,
    logs: bool | int | str = False,
) -> Iterator[Captured]:
    """Record instead of sending, with ids that count from 1; at the end of the block all is as before.

    A program that has called `init()` sends nothing meanwhile: what the libraries it observes tell is
    recorded here. Evaluators in the background are waited for at the end. What is spent inside counts for
    budgets inside only. A capture inside of another records for itself alone, and goes on counting the
    other's ids.
    """
    evaluations.drain(EXIT_S)
    with ExitStack() as undo:
        seen, guard = Captured(), Guard(content)
        tracers, loggers, keep = _recording_into(seen, guard, undo.enter_context(counting()))
        undo.enter_context(_instead_of_sending(keep))
        undo.callback(_runtime.use, _runtime.use(runtime_of(tracers, loggers, captures=guard.captures)))
        undo.callback(_guard.stop, _guard.start(budget, collector=port_of(budget, Route(""))))
        wiring = instrument.Wiring(tracers, loggers, guard.captures, stream_usage)
        for library in instrument.load(tuple(instrument_libraries), wiring):
            undo.callback(library.undo)
        undo.callback(exporting(log_level(logs), loggers))
        undo.enter_context(_clock_in_use(clock))
        undo.callback(evaluations.drain, EXIT_S)
        yield seen


@contextmanager
def backdate(by: timedelta) -> Iterator[None]:
    """Traces that begin inside the block, and feedback given there, lie this far in the past.

    Whole traces move: every span, foreign instrumentations' too, with its events. A span inside of a trace
    that began outside of the block moves as little as its parent. Prices are those of the day moved to.
    """
    with carrying({attributes.BACKDATE_NS: by // _MICROSECOND * 1_000}):
        yield


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Traces that begin inside the block begin at this (aware) moment, and go on at their own pace."""
    now = datetime.fromtimestamp(_clock.now_ns() / 1e9, UTC)
    with backdate(now - moment):
        yield


class FixedClock:
    """Each question for the time finds it `tick` later; the first answer is `start`."""

    def __init__(self, start: datetime = FIXED_START, tick: timedelta = timedelta(milliseconds=1)) -> None:
        self._now_ns = int(start.timestamp()) * 1_000_000_000
        self._elapsed_ns = 0
        self._tick_ns = tick // _MICROSECOND * 1_000

    def now_ns(self) -> int:
        now, self._now_ns = self._now_ns, self._now_ns + self._tick_ns
        return now

    def elapsed_ns(self) -> int:
        elapsed, self._elapsed_ns = self._elapsed_ns, self._elapsed_ns + self._tick_ns
        return elapsed


def _recording_into(
    seen: Captured, guard: Guard, ids: CountingIds
) -> tuple[TracerProvider, LoggerProvider, Sink]:
    """Providers that keep what comes, after the same steps that it would leave by, and what keeps a span."""
    steps = outgoing_steps(guard)

    def keep_span(span: ReadableSpan) -> None:
        seen.spans.extend(_plain_span(left.finished()) for left in prepare([span], steps))

    def keep_log(record: ReadableLogRecord) -> None:
        seen.logs.append(_plain_log(guarded_log(record, guard)))

    nowhere, limits = Resource.get_empty(), SpanLimits(max_span_attributes=SPAN_ATTRIBUTES)
    tracers = TracerProvider(resource=nowhere, id_generator=ids, span_limits=limits, shutdown_on_exit=False)
    tracers.add_span_processor(SightlineProcessor(keep_span))
    loggers = LoggerProvider(nowhere, shutdown_on_exit=False)
    loggers.add_log_record_processor(LogForwarder(keep_log))
    return tracers, loggers, keep_span


@contextmanager
def _instead_of_sending(keep: Sink) -> Iterator[None]:
    """What was on its way to a collector, of an SDK that runs, goes here."""
    running = [(each, each.sink) for each in _pipeline.joined.values() if each.sink is not None]
    for processor, _ in running:
        processor.sink = keep
    try:
        yield
    finally:
        for processor, sink in running:
            if processor.sink is keep:  # it was not shut down meanwhile
                processor.sink = sink


@contextmanager
def _clock_in_use(clock: _clock.Clock | None) -> Iterator[None]:
    """Ours, and that of OpenTelemetry's spans, which foreign instrumentations start without saying when."""
    if clock is None:
        yield
        return
    ours, theirs = _clock.use(clock), _sdk_trace.time_ns
    _sdk_trace.time_ns = clock.now_ns
    try:
        yield
    finally:
        _clock.use(ours)
        _sdk_trace.time_ns = theirs


def _plain_span(span: ReadableSpan) -> CapturedSpan:
    ids = span.context
    return CapturedSpan(
        name=span.name,
        kind=span.kind.name.lower(),
        trace_id=f"{ids.trace_id:032x}",
        span_id=f"{ids.span_id:016x}",
        parent_span_id=f"{span.parent.span_id:016x}" if span.parent else None,
        start_ns=span.start_time or 0,
        end_ns=span.end_time or 0,
        status=span.status.status_code.name.lower(),
        status_message=span.status.description,
        attributes=_plain(span.attributes),
        events=[(event.name, event.timestamp, _plain(event.attributes)) for event in span.events],
        links=[(f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}") for link in span.links],
    )


def _plain_log(record: ReadableLogRecord) -> CapturedLog:
    inner = record.log_record
    return CapturedLog(
        event_name=inner.event_name,
        trace_id=f"{inner.trace_id or 0:032x}",
        span_id=f"{inner.span_id or 0:016x}",
        time_ns=inner.timestamp or 0,
        attributes=_plain(inner.attributes),
        body=inner.body,
        severity=inner.severity_text,
    )


def _plain(values: Any) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in dict(values or {}).items()
    }
