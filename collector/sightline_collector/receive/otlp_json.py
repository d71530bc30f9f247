"""OTLP/JSON becomes OTLP/protobuf, so that one format goes on from here. Pure.

The mapping is protobuf's own JSON mapping, with what OTLP changes in it:
- trace and span ids are hexadecimal, in either case, not base64; only the fields that are ids are so read;
- enums are integers, their names are refused;
- keys are lowerCamelCase; the names of the .proto file are unknown fields, and unknown fields are ignored.
64-bit integers come as numbers or strings, and bytesValue is base64, as protobuf has it. Text that is no
Unicode, as bytes or as an escaped half of a surrogate pair, stays none: it is mended as protobuf's is.

JSON is what browsers send by default, so it has to be quick: protobuf's own mapping, with the ids put right
before it, costs five times as much. The encoders are made once for each message type, from its descriptor.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from sightline_collector.errors import Malformed
from sightline_collector.receive.check import REQUESTS
from sightline_collector.receive.json_scalars import (
    ENCODERS,
    LENGTH_DELIMITED,
    REFUSALS,
    WIRE_TYPES,
    delimited,
    id_bytes,
)
from sightline_collector.wal.segment import Signal, varint

_ID_FIELDS = frozenset({"trace_id", "span_id", "parent_span_id"})

Encode = Callable[[Any], bytes]


def to_protobuf(signal: Signal, body: bytes) -> bytes:
    """The request's protobuf bytes. Raises Malformed for what is no OTLP/JSON request of the signal."""
    try:
        said = body.decode(json.detect_encoding(body), "surrogateescape")
        return _message(REQUESTS[signal].DESCRIPTOR)(json.loads(said))
    except (*REFUSALS, RecursionError) as error:
        raise Malformed(
            f"The body is not an OTLP/JSON {signal} request: {error}",
            hint="Send OTLP/JSON: lowerCamelCase keys, hexadecimal ids, integer enums",
        ) from None


@lru_cache(maxsize=256)
def _message(descriptor: Descriptor) -> Encode:
    """Encodes a JSON object as a message of this type, without its tag and length."""
    fields = {field.json_name: field for field in descriptor.fields}
    choices = {field.json_name for one in descriptor.oneofs if len(one.fields) > 1 for field in one.fields}
    encoders: dict[str, Encode] = {}

    def encode(value: Any) -> bytes:
        if not isinstance(value, dict):
            raise ValueError(f"{descriptor.name} is not an object")
        parts = []
        chosen = None
        for key, one in value.items():
            encoder = encoders.get(key)
            if encoder is None:  # made at first use: message types contain themselves
                if key not in fields:
                    continue
                encoder = encoders[key] = _field(fields[key])
            if one is None:
                continue
            if key in choices:
                if chosen:
                    raise ValueError(f"{descriptor.name} has both {chosen} and {key}")
                chosen = key
            try:
                parts.append(encoder(one))
            except REFUSALS as error:
                raise ValueError(f"{key}: {error}") from None
        return b"".join(parts)

    return encode


def _field(field: FieldDescriptor) -> Encode:
    """Encodes a field's JSON value with its tag and, where it has one, its length."""
    if not field.is_repeated:
        return _single(field)
    one = _raw(field) if field.is_packed else _single(field)
    tag = varint(field.number << 3 | LENGTH_DELIMITED)

    def encode(value: Any) -> bytes:
        if not isinstance(value, list):
            raise ValueError(f"{str(value)[:50]!r} is not an array")
        joined = b"".join(map(one, value))
        return delimited(tag, joined) if field.is_packed else joined

    return encode


def _single(field: FieldDescriptor) -> Encode:
    raw = _raw(field)
    wire_type = WIRE_TYPES.get(field.type, LENGTH_DELIMITED)
    tag = varint(field.number << 3 | wire_type)
    if wire_type == LENGTH_DELIMITED:
        return lambda value: delimited(tag, raw(value))
    return lambda value: tag + raw(value)


def _raw(field: FieldDescriptor) -> Encode:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return _message(field.message_type)
    if field.name in _ID_FIELDS:
        return id_bytes
    return ENCODERS[field.type]
