"""OTLP requests as bytes: spans and log records, grouped by their resource and scope. Pure.

    ExportTraceServiceRequest          1  resource_spans   (logs: resource_logs)
      ResourceSpans                    1  resource   2  scope_spans   3  schema_url
        ScopeSpans                     1  scope      2  spans         3  schema_url
          Span                         numbers as in opentelemetry/proto/trace/v1/trace.proto
          LogRecord                    numbers as in opentelemetry/proto/logs/v1/logs.proto

Equal, field by field, to what OpenTelemetry's own encoder makes of the same spans and records.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

from sightline._delivery.protobuf import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    any_value,
    attributes,
    field,
    fixed32,
    fixed64,
    tag,
    utf8,
    varint,
)
from sightline._outgoing import Draft

_ORIGINS_MAX: Final = 64  # a program has one resource and a scope for each instrumentation
_RESOURCES, _SCOPES, _ITEMS = tag(1, BYTES), tag(2, BYTES), tag(2, BYTES)
_HAS_IS_REMOTE: Final = 0x100  # SpanFlags: the next bit is known
_IS_REMOTE: Final = 0x200


# Span
_TRACE_ID: Final = tag(1, BYTES) + varint(16)
_SPAN_ID: Final = tag(2, BYTES) + varint(8)
_TRACE_STATE: Final = tag(3, BYTES)
_PARENT: Final = tag(4, BYTES) + varint(8)
_NAME: Final = tag(5, BYTES)
_KINDS: Final = {kind.value: tag(6, VARINT) + varint(kind.value + 1) for kind in SpanKind}
_START: Final = tag(7, FIXED64)
_END: Final = tag(8, FIXED64)
_ATTRIBUTES: Final = tag(9, BYTES)
_DROPPED_ATTRIBUTES: Final = tag(10, VARINT)
_EVENTS: Final = tag(11, BYTES)
_DROPPED_EVENTS: Final = tag(12, VARINT)
_LINKS: Final = tag(13, BYTES)
_DROPPED_LINKS: Final = tag(14, VARINT)
_STATUS: Final = tag(15, BYTES)
_FLAGS: Final = tag(16, FIXED32)

_NO_STATUS: Final = _STATUS + varint(0)
_LOCAL: Final = _FLAGS + fixed32(_HAS_IS_REMOTE)


def trace_request(spans: Iterable[Draft]) -> bytes:
    """An ExportTraceServiceRequest."""
    return _request(
        (_origin(d.resource or d.source.resource, d.source.instrumentation_scope), _span(d)) for d in spans
    )


def _span(draft: Draft) -> bytes:
    span = draft.source
    trace_id, span_id, _, _, state, _ = span.context
    parent = span.parent
    written = [
        _TRACE_ID, trace_id.to_bytes(16), _SPAN_ID, span_id.to_bytes(8),
        field(_NAME, utf8(draft.renamed or span.name)), _KINDS[span.kind._value_],
        _START, fixed64(draft.start_ns), _END, fixed64(draft.end_ns),
        attributes(_ATTRIBUTES, draft.attributes),
        _NO_STATUS if draft.status.status_code is StatusCode.UNSET else field(_STATUS, _status(draft.status)),
        _LOCAL if parent is None else _FLAGS + fixed32(_flags(parent)),
    ]  # fmt: skip
    if parent is not None:
        written += _PARENT, parent.span_id.to_bytes(8)
    if state:
        written.append(field(_TRACE_STATE, utf8(_joined(state))))
    written += [field(_EVENTS, _event(event)) for event in draft.events]
    written += [field(_LINKS, _link(link)) for link in draft.links]
    if span.dropped_attributes or span.dropped_events or span.dropped_links:
        written += _DROPPED_ATTRIBUTES, varint(span.dropped_attributes)
        written += _DROPPED_EVENTS, varint(span.dropped_events)
        written += _DROPPED_LINKS, varint(span.dropped_links)
    return b"".join(written)


def _event(event: Event) -> bytes:
    return b"".join((
        tag(1, FIXED64), fixed64(event.timestamp),
        field(tag(2, BYTES), utf8(event.name)),
        attributes(tag(3, BYTES), event.attributes or {}),
        tag(4, VARINT), varint(event.dropped_attributes),
    ))  # fmt: skip


def _link(link: Link) -> bytes:
    ids = link.context
    return b"".join((
        _TRACE_ID, ids.trace_id.to_bytes(16), _SPAN_ID, ids.span_id.to_bytes(8),
        attributes(tag(4, BYTES), link.attributes or {}),
        tag(5, VARINT), varint(link.dropped_attributes),
        tag(6, FIXED32), fixed32(_flags(ids)),
    ))  # fmt: skip


def _status(status: Status) -> bytes:
    code = status.status_code.value
    words = field(tag(2, BYTES), utf8(status.description)) if status.description else b""
    return words + tag(3, VARINT) + varint(code) if code else words


def _flags(context: SpanContext | None) -> int:
    return _HAS_IS_REMOTE | _IS_REMOTE if context is not None and context.is_remote else _HAS_IS_REMOTE


def _joined(state: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in state.items())


def log_request(records: Iterable[ReadableLogRecord]) -> bytes:
    """An ExportLogsServiceRequest."""
    return _request((_origin(r.resource, r.instrumentation_scope), _log_record(r)) for r in records)


def _log_record(readable: ReadableLogRecord) -> bytes:
    record = readable.log_record
    severity = record.severity_number.value if record.severity_number else 0
    written = [
        tag(1, FIXED64), fixed64(record.timestamp or 0), tag(2, VARINT), varint(severity),
        field(tag(3, BYTES), utf8(record.severity_text or "")),
        any_value(tag(5, BYTES), record.body),
        attributes(tag(6, BYTES), record.attributes or {}),
        tag(7, VARINT), varint(readable.dropped_attributes),
        tag(8, FIXED32), fixed32(int(record.trace_flags or 0)),
        tag(11, FIXED64), fixed64(record.observed_timestamp or 0),
        field(tag(12, BYTES), utf8(record.event_name or "")),
    ]  # fmt: skip
    if record.trace_id:
        written += (field(tag(9, BYTES), record.trace_id.to_bytes(16)),)
    if record.span_id:
        written += (field(tag(10, BYTES), record.span_id.to_bytes(8)),)
    return b"".join(written)


class _Origin:
    """Where items come from, written out once: a resource, and a scope within it."""

    __slots__ = ("of", "resource", "resource_schema", "scope", "scope_schema")

    def __init__(self, resource: Resource, scope: InstrumentationScope | None) -> None:
        self.of = resource, scope  # held, so that their ids stay theirs
        self.resource = field(tag(1, BYTES), attributes(tag(1, BYTES), resource.attributes))
        self.scope = field(tag(1, BYTES), _scope(scope) if scope else b"")
        self.resource_schema = field(tag(3, BYTES), utf8(resource.schema_url or ""))
        self.scope_schema = field(tag(3, BYTES), utf8(scope.schema_url or "") if scope else b"")


def _scope(scope: InstrumentationScope) -> bytes:
    return b"".join((
        field(tag(1, BYTES), utf8(scope.name)),
        field(tag(2, BYTES), utf8(scope.version or "")),
        attributes(tag(3, BYTES), scope.attributes or {}),
    ))  # fmt: skip


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
        scopes.setdefault(origin, []).extend((_ITEMS, varint(len(item)), item))
    written: list[bytes] = []
    for scopes in resources.values():
        written += _within(_RESOURCES, _of_resource(scopes))
    return b"".join(written)


def _of_resource(scopes: Mapping[_Origin, Sequence[bytes]]) -> list[bytes]:
    first = next(iter(scopes))
    written = [first.resource]
    for origin, items in scopes.items():
        written += _within(_SCOPES, [origin.scope, *items, origin.scope_schema])
    written.append(first.resource_schema)
    return written


def _within(tag: bytes, parts: list[bytes]) -> list[bytes]:
    """The parts as one field, not yet put together: a request is copied once, however deep it is."""
    return [tag, varint(sum(map(len, parts))), *parts]
