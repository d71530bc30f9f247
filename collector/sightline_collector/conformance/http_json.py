"""OTLP/JSON: protobuf's JSON mapping, and what OTLP changes in it."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

from sightline_collector.conformance import payload
from sightline_collector.conformance.endpoint import Answer, Endpoint
from sightline_collector.conformance.judging import expect, shown, success
from sightline_collector.conformance.payload import JSON
from sightline_collector.conformance.rule import Level, rule, rules_of

_ID = "5B8EFFF798038103D269B633813FC60C"


def _taken(endpoint: Endpoint, **changed: Any) -> None:
    success(_sent(endpoint, **changed), "traces", JSON)


def _sent(endpoint: Endpoint, **changed: Any) -> Answer:
    return endpoint.post("/v1/traces", payload.json_traces(**changed), JSON)


def _refused(endpoint: Endpoint, **changed: Any) -> str:
    answer = _sent(endpoint, **changed)
    expect(answer.status == 400, f"{str(changed)[:60]}: {shown(answer)}")
    return "400"


@rule("json-protobuf-encoding", Level.MUST)
def hexadecimal_ids(endpoint: Endpoint) -> str:
    """Ids are hexadecimal, in upper, lower and mixed case."""
    for trace_id in (_ID, _ID.lower(), _ID[:16] + _ID[16:].lower()):
        _taken(endpoint, traceId=trace_id, parentSpanId=trace_id[:16])
    return "taken in every case"


@rule("json-protobuf-encoding", Level.MUST)
def no_base64_ids(endpoint: Endpoint) -> str:
    """Ids in base64 are not ids: 400."""
    return _refused(endpoint, traceId=base64.b64encode(os.urandom(16)).decode())


@rule("json-protobuf-encoding", Level.MUST)
def integer_enums(endpoint: Endpoint) -> str:
    """Enums are integers."""
    for kind in range(6):
        _taken(endpoint, kind=kind, status={"code": kind % 3})
    return "taken"


@rule("json-protobuf-encoding", Level.GOOD)
def no_enum_names(endpoint: Endpoint) -> str:
    """The name of an enum, which no sender may use, is refused."""
    return _refused(endpoint, kind="SPAN_KIND_SERVER")


@rule("json-protobuf-encoding", Level.MUST)
def unknown_names(endpoint: Endpoint) -> str:
    """Fields with unknown names are ignored at every level, whatever their value."""
    later: dict[str, Any] = {"laterNumber": 1, "laterList": [{"a": None}], "laterObject": {"kind": "x"}}
    span = payload.json_span(**later, status=later)
    body = {
        "resourceSpans": [{"scopeSpans": [{"spans": [span], **later}], "resource": later, **later}],
        **later,
    }
    success(endpoint.post("/v1/traces", json.dumps(body).encode(), JSON), "traces", JSON)
    return "ignored"


@rule("json-protobuf-encoding", Level.MUST)
def lower_camel_case(endpoint: Endpoint) -> str:
    """The .proto files' own names are unknown fields: their values are not read."""
    # Read as trace_id, this value would be refused.
    answer = _sent(endpoint, trace_id="no id at all", start_time_unix_nano="yesterday")
    success(answer, "traces", JSON)
    return "not read"


@rule("json-protobuf-encoding", Level.MUST)
def integers_of_64_bits(endpoint: Endpoint) -> str:
    """64-bit integers come as strings or as numbers."""
    attributes = [
        {"key": "a", "value": {"intValue": value}} for value in ("-9", -9, str((1 << 63) - 1), (1 << 63) - 1)
    ]
    for time_ns in ("1790000000123456789", 1790000000123456789):
        _taken(endpoint, startTimeUnixNano=time_ns, endTimeUnixNano=time_ns, attributes=attributes)
    return "both"


@rule("proto3-json", Level.MUST)
def base64_bytes(endpoint: Endpoint) -> str:
    """Bytes that are no id stay base64."""
    _taken(endpoint, attributes=[{"key": "a", "value": {"bytesValue": "AP/+"}}])
    return "taken"


@rule("proto3-json", Level.MUST)
def values_of_every_kind(endpoint: Endpoint) -> str:
    """Attributes may be empty, bytes, mixed arrays and maps, and doubles may be named Infinity."""
    _taken(endpoint, attributes=payload.json_every_value())
    return "taken"


@rule("proto3-json", Level.SHOULD)
def null_is_unset(endpoint: Endpoint) -> str:
    """null is a field that is not set."""
    _taken(endpoint, parentSpanId=None, attributes=None, status=None, droppedLinksCount=None)
    return "taken"


@rule("proto3-json", Level.SHOULD)
def wrong_kinds(endpoint: Endpoint) -> str:
    """A value of another kind than the field's is refused with 400, not guessed."""
    kinds: list[dict[str, Any]] = [
        {"name": 7},
        {"attributes": {}},
        {"startTimeUnixNano": "soon"},
        {"kind": 1.5},
    ]
    for changed in kinds:
        _refused(endpoint, **changed)
    return "400"


@rule("proto3-json", Level.SHOULD)
def beyond_the_range(endpoint: Endpoint) -> str:
    """A number that does not fit its field is refused with 400."""
    return _refused(endpoint, startTimeUnixNano=str(1 << 65))


@rule("proto3-json", Level.GOOD)
def deep_nesting(endpoint: Endpoint) -> str:
    """Ten thousand arrays in each other are taken or refused with 400, and do no harm."""
    deep = b'{"resourceSpans":[{"later":' + b"[" * 10_000 + b"]" * 10_000 + b"}]}"
    answer = endpoint.post("/v1/traces", deep, JSON)
    expect(answer.status in (200, 400), shown(answer))
    _taken(endpoint)
    return str(answer.status)


RULES = rules_of(vars())
