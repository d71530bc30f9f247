"""Attribute values of every type and depth: what is stored says what was sent, and what type it had."""

from __future__ import annotations

import base64
import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otlp_requests import NOW_NS, any_value, insert

from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal, varint

batches = itertools.count(1)

Stored = list[tuple[str, str]]
"""A value's text and its type, in the order sent."""


def stored(engine: Engine, tmp_path: Path, values: list[AnyValue]) -> Stored:
    """What becomes of attributes with these values."""
    pairs = [KeyValue(key=f"k{n}", value=value) for n, value in enumerate(values)]
    return stored_pairs(engine, tmp_path, [pair.SerializeToString() for pair in pairs])


def stored_pairs(engine: Engine, tmp_path: Path, pairs: list[bytes]) -> Stored:
    """What becomes of attributes k0, k1 … given as the bytes of their KeyValues."""
    span = Span(trace_id=b"\1" * 16, span_id=b"\2" * 8, start_time_unix_nano=NOW_NS).SerializeToString()
    span += b"".join(b"\x4a" + varint(len(pair)) + pair for pair in pairs)
    scope = b"\x12" + varint(len(span)) + span
    resource = b"\x12" + varint(len(scope)) + scope
    body = b"\x0a" + varint(len(resource)) + resource
    batch = next(batches)
    insert(engine, Signal.TRACES, [(body, 1)], tmp_path / "segment", batch=batch)
    (row,) = engine.rows(
        "select attributes, attribute_types from spans_v1 where batch = {batch:UInt64}", {"batch": batch}
    )
    texts, types = row["attributes"], row["attribute_types"]
    return [(texts[f"k{n}"], types.get(f"k{n}", "string")) for n in range(len(pairs))]


VALUES: dict[str, tuple[Any, str, str]] = {
    "absent": (None, "", "empty"),
    "empty text": ("", "", "string"),
    "text": ("0", "0", "string"),
    "text of 127 bytes": ("a" * 127, "a" * 127, "string"),
    "text of 128 bytes": ("a" * 128, "a" * 128, "string"),
    "text of 16,383 bytes": ("a" * 16383, "a" * 16383, "string"),
    "text of 16,384 bytes": ("a" * 16384, "a" * 16384, "string"),
    "text of 3 million bytes": ("é" * 1_500_000, "é" * 1_500_000, "string"),
    "text with a zero byte": ("a\x00b", "a\x00b", "string"),
    "false": (False, "false", "bool"),
    "true": (True, "true", "bool"),
    "int zero": (0, "0", "int"),
    "int -1": (-1, "-1", "int"),
    "int 127": (127, "127", "int"),
    "int 128": (128, "128", "int"),
    "int 2^56 - 1": (2**56 - 1, str(2**56 - 1), "int"),
    "int 2^56": (2**56, str(2**56), "int"),
    "int greatest": (2**63 - 1, str(2**63 - 1), "int"),
    "int least": (-(2**63), str(-(2**63)), "int"),
    "double zero": (0.0, "0", "double"),
    "double minus zero": (-0.0, "-0", "double"),
    "double least": (5e-324, "5e-324", "double"),
    "double greatest": (1.7976931348623157e308, "1.7976931348623157e308", "double"),
    "double nan": (math.nan, "nan", "double"),
    "double infinite": (-math.inf, "-inf", "double"),
    "bytes": (b"\x00\xff", "AP8=", "bytes"),
    "bytes, many": (b"\xff" * 300, base64.b64encode(b"\xff" * 300).decode(), "bytes"),
    "bytes that spell a text": ('{"a": "é"}\n'.encode(), '{"a": "é"}\n', "bytes"),
    "bytes that spell a long text": (b"a" * 70_000, "a" * 70_000, "bytes"),
    "bytes of a signal": (b"a\x07", "YQc=", "bytes"),
    "no bytes": (b"", "", "bytes"),
    "empty array": ([], "[]", "array"),
    "empty map": ({}, "{}", "map"),
    "array of one text": (["stop"], '["stop"]', "array"),
    "array of one empty text": ([""], '[""]', "array"),
    "array of one long text": (["x" * 200], '["' + "x" * 200 + '"]', "array"),
    "array of one absent value": ([None], "[null]", "array"),
    "array of one int": ([1], "[1]", "array"),
    "array of double and int": ([1.0, 1], "[1.0,1]", "array"),
    "array of what JSON lacks": ([math.inf, b"a"], '[{"$double":"inf"},{"$bytes":"YQ=="}]', "array"),
    "map of an empty key": ({"": 1}, '{"":1}', "map"),
    "map of an absent value": ({"a": None, "b": 1}, '{"a":null,"b":1}', "map"),
    "map in array in map": ({"a": [{"b": []}, {}]}, '{"a":[{"b":[]},{}]}', "map"),
    "text that looks like JSON": (['],"{}:\n\x01\x02'], json.dumps(['],"{}:\n\x01\x02']), "array"),
}


def test_each_value_has_its_text_and_its_type(engine: Engine, tmp_path: Path) -> None:
    """0, '', false and absent stay apart; so do empty array, empty map and no value at all."""
    found = stored(engine, tmp_path, [any_value(value) for value, _, _ in VALUES.values()])
    assert dict(zip(VALUES, found, strict=True)) == {name: (t, k) for name, (_, t, k) in VALUES.items()}


def test_values_are_the_same_alone_and_side_by_side(engine: Engine, tmp_path: Path) -> None:
    """No value's text depends on its neighbours in the block."""
    for name in ("int least", "array of one text", "map in array in map", "bytes"):
        value, text, kind = VALUES[name]
        assert stored(engine, tmp_path, [any_value(value)]) == [(text, kind)]


def padded(value: bytes, length_at: int, width: int) -> bytes:
    """The same message with the length at this position as a varint of that many bytes."""
    length = value[length_at]
    return value[:length_at] + bytes([length | 0x80] + [0x80] * (width - 2) + [0]) + value[length_at + 1 :]


@pytest.mark.parametrize("width", [2, 3, 4])
def test_lengths_may_be_longer_than_they_need_to_be(engine: Engine, tmp_path: Path, width: int) -> None:
    """Writers that reserve room for a length before they know it pad its varint: the value is the same."""
    text = padded(any_value("hello").SerializeToString(), 1, width)
    element = b"\x0a" + varint(len(text)) + text
    array = b"\x2a" + varint(len(element)) + element
    pairs = [b"\x0a\x02k%d\x12" % n + varint(len(v)) + v for n, v in enumerate((text, array))]
    assert stored_pairs(engine, tmp_path, pairs) == [("hello", "string"), ('["hello"]', "array")]


def test_pairs_without_key_or_value_are_kept(engine: Engine, tmp_path: Path) -> None:
    """A map's entry may lack its key, its value, or both."""
    entries = [
        KeyValue(key="a"),
        KeyValue(value=any_value("x")),
        KeyValue(),
        KeyValue(key="b", value=AnyValue()),
    ]
    found = stored(engine, tmp_path, [AnyValue(kvlist_value=KeyValueList(values=entries))])
    assert found == [('{"a":null,"":"x","":null,"b":null}', "map")]


def test_what_is_no_value_is_kept_as_its_bytes(engine: Engine, tmp_path: Path) -> None:
    """Fields that a later protocol may add to a value are not dropped: its bytes stay, marked."""
    array = b"\x2a\x05\x0a\x03\x4a\x01z"  # an array of a value whose only field is number 9
    pair = b"\x0a\x02k0\x12" + varint(len(array)) + array
    expected = json.dumps({"$protobuf": base64.b64encode(array).decode()}, separators=(",", ":"))
    assert stored_pairs(engine, tmp_path, [pair]) == [(expected, "array")]


def test_depth_is_not_bounded(engine: Engine, tmp_path: Path) -> None:
    """The door takes values up to 31 messages deep: all of it is text."""
    deep: Any = "bottom"
    for level in range(14):
        deep = [deep] if level % 2 else {"k": deep}
    ((text, kind),) = stored(engine, tmp_path, [any_value(deep)])
    assert (json.loads(text), kind) == (deep, "array")


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
nested = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@settings(
    max_examples=8, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(values=st.lists(nested, min_size=10, max_size=40))
def test_any_nested_value_comes_back_as_equal_json(engine: Engine, tmp_path: Path, values: list[Any]) -> None:
    """Whatever is nested in whatever: the JSON text parses to what was sent, and 1.0 is not 1."""
    found = stored(engine, tmp_path, [any_value([value]) for value in values])
    for value, (text, kind) in zip(values, found, strict=True):
        assert kind == "array"
        assert repr(json.loads(text)) == repr([value])
