"""OTLP requests as bytes: spans and log records, grouped by their resource and scope. Pure.

    ExportTraceServiceRequest          1  resource_spans   (logs: resource_logs)
      ResourceSpans                    1  resource   2  scope_spans   3  schema_url
        ScopeSpans                     1  scope      2  spans         3  schema_url
          Span                         numbers as in opentelemetry/proto/trace/v1/trace.proto
          LogRecord                    numbers as in opentelemetry/proto/logs/v1/logs.proto

Equal, field by field, to what OpenTelemetry's own encoder makes of the same spans and records.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status

from sightline._outgoing import Draft
from sightline._protobuf import any_value, attributes, field, fixed32, fixed64, utf8, varint

Origin = tuple[Resource, InstrumentationScope | None]

_ORIGINS_MAX: Final = 64  # a program has one resource and a scope for each instrumentation
_HAS_IS_REMOTE: Final = 0x100  # SpanFlags: the next bit is known
_IS_REMOTE: Final = 0x200


def trace_request(spans: Iterable[Draft]) -> bytes:
    """An ExportTraceServiceRequest."""
    return _request((_origin(d.source.resource, d.source.instrumentation_scope), _span(d)) for d in spans)


def log_request(records: Iterable[ReadableLogRecord]) -> bytes:
    """An ExportLogsServiceRequest."""
    return _request((_origin(r.resource, r.instrumentation_scope), _log_record(r)) for r in records)


def _span(draft: Draft) -> bytes:
    span, ids = draft.source, draft.source.context
    written = [
        b"\x0a\x10", ids.trace_id.to_bytes(16), b"\x12\x08", ids.span_id.to_bytes(8),
        field(b"\x2a", utf8(span.name)),
        b"\x30", varint(span.kind.value + 1),
        b"\x39", fixed64(draft.start_ns), b"\x41", fixed64(draft.end_ns),
        attributes(b"\x4a", draft.attributes),
        field(b"\x7a", _status(draft.status)),
        b"\x85\x01", fixed32(_flags(span.parent)),
    ]  # fmt: skip
    if span.parent is not None:
        written += b"\x22\x08", span.parent.span_id.to_bytes(8)
    if ids.trace_state:
        written.append(field(b"\x1a", utf8(_trace_state(ids.trace_state))))
    written += [field(b"\x5a", _event(event)) for event in draft.events]
    written += [field(b"\x6a", _link(link)) for link in span.links]
    if span.dropped_attributes or span.dropped_events or span.dropped_links:
        written += b"\x50", varint(span.dropped_attributes)
        written += b"\x60", varint(span.dropped_events)
        written += b"\x70", varint(span.dropped_links)
    return b"".join(written)


def _event(event: Event) -> bytes:
    return (
        b"\x09"
        + fixed64(event.timestamp)
        + field(b"\x12", utf8(event.name))
        + attributes(b"\x1a", event.attributes or {})
        + b"\x20"
        + varint(event.dropped_attributes)
    )


def _link(link: Link) -> bytes:
    ids = link.context
    return (
        b"\x0a\x10"
        + ids.trace_id.to_bytes(16)
        + b"\x12\x08"
        + ids.span_id.to_bytes(8)
        + attributes(b"\x22", link.attributes or {})
        + b"\x28"
        + varint(link.dropped_attributes)
        + b"\x35"
        + fixed32(_flags(ids))
    )


def _status(status: Status) -> bytes:
    words = field(b"\x12", utf8(status.description)) if status.description else b""
    return words + b"\x18" + varint(status.status_code.value) if status.status_code.value else words


def _flags(context: SpanContext | None) -> int:
    return _HAS_IS_REMOTE | _IS_REMOTE if context is not None and context.is_remote else _HAS_IS_REMOTE


def _trace_state(state: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in state.items())


def _log_record(readable: ReadableLogRecord) -> bytes:
    record = readable.log_record
    written = [
        b"\x09", fixed64(record.timestamp or 0), b"\x59", fixed64(record.observed_timestamp or 0),
        b"\x10", varint(record.severity_number.value if record.severity_number else 0),
        field(b"\x1a", utf8(record.severity_text or "")),
        any_value(record.body, b"\x2a"),
        attributes(b"\x32", record.attributes or {}),
        b"\x38", varint(readable.dropped_attributes),
        b"\x45", fixed32(int(record.trace_flags or 0)),
        field(b"\x62", utf8(record.event_name or "")),
    ]  # fmt: skip
    if record.trace_id:
        written += b"\x4a\x10", record.trace_id.to_bytes(16)
    if record.span_id:
        written += b"\x52\x08", record.span_id.to_bytes(8)
    return b"".join(written)


class _Origin:
    """Where items come from, written out once: a resource, and a scope within it."""

    __slots__ = ("of", "resource", "resource_schema", "scope", "scope_schema")

    def __init__(self, resource: Resource, scope: InstrumentationScope | None) -> None:
        self.of = resource, scope  # held, so that their ids stay theirs
        self.resource = field(b"\x0a", attributes(b"\x0a", resource.attributes))
        self.resource_schema = field(b"\x1a", utf8(resource.schema_url or ""))
        self.scope = field(b"\x0a", _scope(scope) if scope else b"")
        self.scope_schema = field(b"\x1a", utf8(scope.schema_url or "") if scope else b"")


def _scope(scope: InstrumentationScope) -> bytes:
    return (
        field(b"\x0a", utf8(scope.name))
        + field(b"\x12", utf8(scope.version or ""))
        + attributes(b"\x1a", scope.attributes or {})
    )


# By identity: OpenTelemetry's resources are hashed by writing them out as JSON, each time.
_origins: Final[dict[tuple[int, int], _Origin]] = {}


def _origin(resource: Resource, scope: InstrumentationScope | None) -> _Origin:
    key = id(resource), id(scope)
    known = _origins.get(key)
    if known is None:
        if len(_origins) >= _ORIGINS_MAX:
            _origins.clear()
        known = _origins[key] = _Origin(resource, scope)
    return known


def _request(items: Iterable[tuple[_Origin, bytes]]) -> bytes:
    """Items by resource, and within it by scope, each in the order of their first."""
    resources: dict[int, dict[_Origin, list[bytes]]] = {}
    for origin, item in items:
        scopes = resources.setdefault(id(origin.of[0]), {})
        scopes.setdefault(origin, []).append(field(b"\x12", item))
    return b"".join([field(b"\x0a", _resource_items(scopes)) for scopes in resources.values()])


def _resource_items(scopes: Mapping[_Origin, Sequence[bytes]]) -> bytes:
    first = next(iter(scopes))
    within = [
        field(b"\x12", b"".join((origin.scope, *items, origin.scope_schema)))
        for origin, items in scopes.items()
    ]
    return b"".join((first.resource, *within, first.resource_schema))
