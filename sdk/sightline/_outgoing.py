"""What happens to a finished span on its way out: a plain list of steps over one draft.

Runs on the shipping thread, so none of it costs the user's thread anything, and every span passes here,
whoever made it. Steps run in the order given; see `_configure`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, Status, StatusCode

from sightline import attributes
from sightline._call_price import call_price
from sightline._safety import record_fault
from sightline._spans.attributes import attributes_of
from sightline._spans.late import Findings


@dataclass(slots=True)
class Draft:
    """A finished span that may still be changed; times in ns since 1970.

    `renamed` and `resource` are what it leaves with where that is not its own.
    """

    source: ReadableSpan
    attributes: dict[str, Any]
    events: Sequence[Event]
    links: Sequence[Link]
    status: Status
    start_ns: int
    end_ns: int
    renamed: str = ""
    resource: Resource | None = None

    @classmethod
    def of(cls, span: ReadableSpan) -> "Draft":
        # Most spans have neither events nor links; OpenTelemetry copies an empty list under a lock.
        held: Any = span
        return cls(
            span,
            dict(attributes_of(span)),
            span.events if held._events else (),
            span.links if held._links else (),
            span.status,
            span.start_time or 0,
            span.end_time or 0,
        )

    def finished(self) -> ReadableSpan:
        return _Finished(self)


class _Finished(ReadableSpan):
    """A span as the exporter wants it, which still knows how much its original had to drop."""

    def __init__(self, draft: Draft) -> None:
        source = draft.source
        super().__init__(
            name=draft.renamed or source.name,
            context=source.context,
            parent=source.parent,
            resource=draft.resource or source.resource,
            attributes=draft.attributes,
            events=draft.events,
            links=draft.links,
            kind=source.kind,
            status=draft.status,
            start_time=draft.start_ns,
            end_time=draft.end_ns,
            instrumentation_scope=source.instrumentation_scope,
        )
        self._source = source

    @property
    def dropped_attributes(self) -> int:
        return self._source.dropped_attributes

    @property
    def dropped_events(self) -> int:
        return self._source.dropped_events

    @property
    def dropped_links(self) -> int:
        return self._source.dropped_links


Step = Callable[[Draft], None]


def prepare(spans: Iterable[ReadableSpan], steps: Sequence[Step]) -> Iterator[Draft]:
    """Each span through each step. A step that fails is counted and skipped: the span goes on without it.

    One after the other: what is written right after it was looked at is still in the processor's cache.
    """
    for span in spans:
        yield _through(Draft.of(span), steps)


def amended(span: ReadableSpan, findings: Findings) -> ReadableSpan:
    """The span as its watcher found it."""
    draft = Draft.of(span)
    for name in findings.removed:
        draft.attributes.pop(name, None)
    draft.attributes.update(findings.added)
    if findings.forgiven:
        draft.status = Status(StatusCode.UNSET)
        draft.attributes.pop(attributes.ERROR_TYPE, None)
    return draft.finished()


def backdated(draft: Draft) -> None:
    """Move a span, with its events, into the past by what it was stamped with; see `testing.backdate`."""
    offset_ns = draft.attributes.pop(attributes.BACKDATE_NS, 0)
    if offset_ns:
        draft.start_ns -= offset_ns
        draft.end_ns -= offset_ns
        draft.events = [Event(e.name, e.attributes, e.timestamp - offset_ns) for e in draft.events]


def counted(draft: Draft) -> None:
    """Count what a model call was only guessed to have used; see `_estimate`."""
    uncounted = draft.attributes.pop(attributes.UNCOUNTED, None)
    if uncounted is not None:
        draft.attributes.update(uncounted.to_attributes(uncounted.counted()))


def priced(draft: Draft) -> None:
    """Put the cost on a model call that carries usage, or the reason why there is none."""
    known = draft.attributes
    if attributes.COST_USD in known:
        return
    found = call_price(known, draft.start_ns)
    if found is None:
        return
    if found.usd is None:
        known[attributes.COST_REASON] = found.reason
    else:
        known[attributes.COST_USD] = f"{found.usd:f}"


def _through(draft: Draft, steps: Sequence[Step]) -> Draft:
    for step in steps:
        try:
            step(draft)
        except Exception as error:
            record_fault(getattr(step, "__qualname__", "step"), error)
    return draft
