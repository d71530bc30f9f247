"""What the engine can take of a request that it cannot take as it was sent. Pure.

What makes a request too large is what the engine copies to each of its spans, its resource above all: half
of the spans need half of it. And senders may say what OTLP has not, of which the engine refuses some kinds
that protobuf's own readers pass over. A part is a record like any other, with the trailer of the whole, and
the spans in it are the sender's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sightline_collector.receive.check import REQUESTS
from sightline_collector.wal.segment import Entry, Record, Signal, frame

MOST_PARTS = 64
"""Of one request: beyond that each span is too large by itself, and trying them all would take hours."""

CUT: dict[Signal, tuple[Any, str, str, str]] = {
    Signal.TRACES: (ExportTraceServiceRequest, "resource_spans", "scope_spans", "spans"),
    Signal.LOGS: (ExportLogsServiceRequest, "resource_logs", "scope_logs", "log_records"),
}
"""A request's message, and where its items lie. Points of metrics are small, and bounded together."""


@dataclass(frozen=True, slots=True)
class Part(Record):
    """Some items of a record, or all without what OTLP has not: then `sent` is that record. `of` is how many
    items the sender's request had."""

    whole: bytes
    of: int
    sent: Record | None = None

    def body(self, segment: bytes) -> memoryview:
        """The request without the other items."""
        return memoryview(self.whole)[self.body_start : self.body_end]

    def framed(self, segment: bytes) -> memoryview:
        """Length, body and trailer: by itself a segment of one record."""
        return memoryview(self.whole)


def halves(signal: Signal, record: Record, segment: bytes) -> list[Part]:
    """The two halves of a record; none when it cannot be cut, or is cut small enough already."""
    of = record.of if isinstance(record, Part) else record.items
    if signal not in CUT or record.items < 2 or record.items * MOST_PARTS < 2 * of:
        return []
    body, middle = bytes(record.body(segment)), record.items // 2
    try:
        cut = [_cut(signal, body, 0, middle), _cut(signal, body, middle, record.items)]
    except DecodeError:
        return []
    sizes = (middle, record.items - middle)
    return [_part(record, some, items, of) for some, items in zip(cut, sizes, strict=True)]


def known(signal: Signal, record: Record, segment: bytes) -> Part:
    """The record with what OTLP knows, and nothing else."""
    body = bytes(record.body(segment))
    with suppress(DecodeError):
        request = REQUESTS[signal].FromString(body)
        request.DiscardUnknownFields()
        body = request.SerializeToString()
    of = record.of if isinstance(record, Part) else record.items
    return replace(_part(record, body, record.items, of), sent=record)


def _cut(signal: Signal, body: bytes, first: int, end: int) -> bytes:
    """The request with its items from `first` to before `end`, and what they lie in."""
    message, *path = CUT[signal]
    request = message.FromString(body)
    at = 0
    for group in _groups(request, path):
        count = len(group)
        del group[max(0, end - at) :]
        del group[: max(0, first - at)]
        at += count
    _drop_empty(request, path)
    return bytes(request.SerializeToString())


def _groups(request: Any, path: list[str]) -> Iterator[Any]:
    resources, scopes, items = path
    for resource in getattr(request, resources):
        for scope in getattr(resource, scopes):
            yield getattr(scope, items)


def _drop_empty(message: Any, path: list[str]) -> None:
    """Resources and scopes of nothing would be read all the same."""
    children = getattr(message, path[0])
    for place in reversed(range(len(children))):
        if len(path) > 1:
            _drop_empty(children[place], path[1:])
            if not getattr(children[place], path[1]):
                del children[place]


def _part(record: Record, body: bytes, items: int, of: int) -> Part:
    entry = Entry(body, items, record.project, record.received_at_ns)
    length, trailer = frame(entry, record.batch, record.writer)
    body_end = len(length) + len(body)
    return Part(
        0, len(length), body_end, body_end + len(trailer), record.received_at_ns, record.batch, record.writer,
        record.project, items, length + body + trailer, of,
    )  # fmt: skip
