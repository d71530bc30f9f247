"""What senders may have written where the store has an id as text: a number, a flag, bytes, a list."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import suppress

from google.protobuf.message import EncodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from sightline_collector.store.engine import Engine

_NESTED = ("array_value", "kvlist_value")
_TEXTS = "select sightline_texts(arrayMap(value -> unhex(value), {values:Array(String)}))"


def spellings(engine: Engine, said: str) -> frozenset[bytes]:
    """AnyValues that are no strings and that the store spells like this text, each as its bytes: the engine
    that spelled them is asked. Raises StoreUnreachable."""
    values = sorted(set(_candidates(said)))
    texts = engine.value(_TEXTS, {"values": [value.hex() for value in values]})
    return frozenset(value for value, text in zip(values, texts, strict=True) if text == said)


def _candidates(said: str) -> Iterator[bytes]:
    """More than are spelled so."""
    yield from (AnyValue(bool_value=flag).SerializeToString() for flag in (False, True))
    with suppress(ValueError):
        yield AnyValue(int_value=int(said)).SerializeToString()
    with suppress(ValueError):
        yield AnyValue(double_value=float(said)).SerializeToString()
    with suppress(ValueError):
        yield AnyValue(bytes_value=base64.b64decode(said, validate=True)).SerializeToString()
    with suppress(ValueError, RecursionError, EncodeError):
        nested = _of_json(json.loads(said))
        yield from [nested.SerializeToString()] if nested.WhichOneof("value") in _NESTED else []


def _of_json(value: object) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=map(_of_json, value)))
        case dict():
            pairs = [KeyValue(key=str(key), value=_of_json(one)) for key, one in value.items()]
            return AnyValue(kvlist_value=KeyValueList(values=pairs))
        case _:
            return AnyValue() if value is None else AnyValue(string_value=str(value))
