"""OTLP/JSON becomes OTLP/protobuf, so that one format goes on from here. Pure.

The mapping is protobuf's own JSON mapping, with what OTLP changes in it:
- trace and span ids are hexadecimal, in either case, not base64; only the fields that are ids are so read;
- enums are integers, their names are refused;
- keys are lowerCamelCase; the names of the .proto file are unknown fields, and unknown fields are ignored.
64-bit integers come as numbers or strings, and bytesValue is base64, as protobuf has it.
"""

import base64
import binascii
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from sightline_collector.errors import Malformed
from sightline_collector.receive.check import REQUESTS
from sightline_collector.wal.segment import Signal

_ID_FIELDS = frozenset({"trace_id", "span_id", "parent_span_id"})
_HINT = "Send OTLP/JSON: lowerCamelCase keys, hexadecimal ids, integer enums"

Convert = Callable[[Any], Any]


def to_protobuf(signal: Signal, body: bytes) -> bytes:
    """The request's protobuf bytes. Raises Malformed for what is no OTLP/JSON request of the signal."""
    request = REQUESTS[signal]()
    try:
        plain = _message(request.DESCRIPTOR)(json.loads(body))
        encoded: bytes = json_format.ParseDict(plain, request).SerializeToString()
    except (ValueError, RecursionError, json_format.ParseError) as error:
        raise Malformed(f"The body is not an OTLP/JSON {signal} request: {error}", hint=_HINT) from None
    return encoded


@lru_cache(maxsize=256)
def _message(descriptor: Descriptor) -> Convert:
    """Turns a JSON object of this message type into what protobuf's own mapping reads."""
    fields = {field.json_name: field for field in descriptor.fields}
    converts: dict[str, Convert] = {}

    def convert(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValueError(f"{descriptor.name} is not an object")
        plain = {}
        for key, one in value.items():
            if one is None or key not in fields:
                continue
            if key not in converts:  # made at first use: message types contain themselves
                converts[key] = _field(fields[key])
            plain[key] = converts[key](one)
        return plain

    return convert


def _field(field: FieldDescriptor) -> Convert:
    one = _single(field)
    if not field.is_repeated:
        return one

    def convert(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValueError(f"{field.json_name} is not an array")
        return [one(item) for item in value]

    return convert


def _single(field: FieldDescriptor) -> Convert:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return _message(field.message_type)
    if field.type == FieldDescriptor.TYPE_ENUM:
        return _enum_number
    if field.type == FieldDescriptor.TYPE_BYTES and field.name in _ID_FIELDS:
        return _id_from_hex
    return _unchanged


def _unchanged(value: Any) -> Any:
    return value


def _enum_number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"an enum is an integer, not {str(value)[:50]!r}")
    return value


def _id_from_hex(value: Any) -> str:
    try:
        return base64.b64encode(binascii.unhexlify(value)).decode()
    except (TypeError, ValueError):
        raise ValueError(f"an id is hexadecimal, not {str(value)[:50]!r}") from None
