"""Native blocks as a client of a newer protocol revision expects them. Pure.

The engine writes Native at revision 0. A client that says client_protocol_version, as clickhouse-go does,
expects two things more, and has no way to be told otherwise:

    block info        before each block     01 00 02 ff ff ff ff 00
    a zero byte       after each column's type: no custom serialization

So blocks are walked column by column, to know where each ends. A type that cannot be walked is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sightline_collector.gateway.refusal import Refused

FRAMED_FROM = 54454
"""DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION. Clients of older revisions cope with revision 0."""

_BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
_NO_CUSTOM_SERIALIZATION = b"\x00"

_WIDTHS = {
    "Bool": 1, "UInt8": 1, "Int8": 1, "Nothing": 1, "Enum8": 1, "UInt16": 2, "Int16": 2, "BFloat16": 2,
    "Date": 2, "Enum16": 2, "UInt32": 4, "Int32": 4, "Float32": 4, "Date32": 4, "DateTime": 4, "Time": 4,
    "IPv4": 4, "UInt64": 8, "Int64": 8, "Float64": 8, "DateTime64": 8, "Time64": 8, "UInt128": 16,
    "Int128": 16, "UUID": 16, "IPv6": 16, "UInt256": 32, "Int256": 32,
}  # fmt: skip
_DECIMAL_WIDTHS = ((9, 4), (18, 8), (38, 16), (76, 32))
_KEY_WIDTHS = (1, 2, 4, 8)
_LOW_CARDINALITY_HEAD = 8
"""The version of the keys' serialization, before anything else of the column."""


class _Short(Exception):  # noqa: N818 - not a fault: the block goes on in bytes to come
    """The bytes end within a block."""


class Frames:
    """Adds to a stream of blocks what newer revisions expect; holds back an unfinished block."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._try_from = 0

    def add(self, chunk: bytes) -> bytes:
        """The blocks that are whole now. Raises Refused for a type that cannot be walked."""
        self._held += chunk
        if len(self._held) < self._try_from:
            return b""
        framed = bytearray()
        start = 0
        try:
            while start < len(self._held):
                block, start = _framed(self._held, start)
                framed += block
        except _Short:
            pass
        del self._held[:start]
        # An unfinished block is walked again from its start: not before it has doubled.
        self._try_from = 2 * len(self._held)
        return bytes(framed)

    def end(self) -> bytes:
        """What is left after the last byte."""
        self._try_from = 0
        return self.add(b"") + bytes(self._held)


def _framed(data: bytearray, start: int) -> tuple[bytes, int]:
    columns, at = _varint(data, start)
    rows, at = _varint(data, at)
    framed = bytearray(_BLOCK_INFO + data[start:at])
    for _ in range(columns):
        head = at
        at = _string(data, at)
        type_at = at
        at = _string(data, at)
        type_name = data[_varint(data, type_at)[1] : at].decode()
        framed += data[head:at] + _NO_CUSTOM_SERIALIZATION
        body = at
        if rows:
            at = _data(data, _head(type_name) + at, type_name, rows)
        framed += data[body:at]
    return bytes(framed), at


def _data(data: bytearray, at: int, type_name: str, rows: int) -> int:
    """Where a column's values end."""
    name, arguments = _parted(type_name)
    walk = _WALKS.get(name)
    if walk is not None:
        return walk(data, at, arguments, rows)
    return _within(data, at + rows * _width(name, arguments))


def _width(name: str, arguments: list[str]) -> int:
    if name == "Decimal":
        return next(width for digits, width in _DECIMAL_WIDTHS if int(arguments[0]) <= digits)
    if name == "FixedString":
        return int(arguments[0])
    if name.startswith("Interval"):
        return 8
    if name not in _WIDTHS:
        raise Refused(
            48, "NOT_IMPLEMENTED", f"The type {name} cannot be sent to this client", hint="Cast it to String"
        )
    return _WIDTHS[name]


def _strings(data: bytearray, at: int, _: list[str], rows: int) -> int:
    end = len(data)
    for _row in range(rows):
        if at >= end:
            raise _Short
        size = data[at]
        if size < 0x80:
            at += size + 1
        else:
            at = _string(data, at)
    return _within(data, at)


def _nullable(data: bytearray, at: int, arguments: list[str], rows: int) -> int:
    return _data(data, _within(data, at + rows), arguments[0], rows)


def _array(data: bytearray, at: int, arguments: list[str], rows: int) -> int:
    at = _within(data, at + 8 * rows)
    items = int.from_bytes(data[at - 8 : at], "little")
    return _data(data, at, arguments[0], items) if items else at


def _tuple(data: bytearray, at: int, arguments: list[str], rows: int) -> int:
    for element in arguments:
        at = _data(data, at, element, rows)
    return at


def _map(data: bytearray, at: int, arguments: list[str], rows: int) -> int:
    return _array(data, at, [f"Tuple({', '.join(arguments)})"], rows)


def _aggregate(data: bytearray, at: int, arguments: list[str], rows: int) -> int:
    return _data(data, at, arguments[-1], rows)


def _low_cardinality(data: bytearray, at: int, arguments: list[str], rows: int) -> int:
    """Keys, then a number for each row that says which; the keys' own nulls are key 0."""
    _within(data, at + 16)
    key_width = _KEY_WIDTHS[data[at] & 3]
    keys = int.from_bytes(data[at + 8 : at + 16], "little")
    name, inner = _parted(arguments[0])
    at = _data(data, at + 16, inner[0] if name == "Nullable" else arguments[0], keys)
    return _within(data, at + 8 + rows * key_width)


_WALKS: dict[str, Callable[[bytearray, int, list[str], int], int]] = {
    "String": _strings,
    "Nullable": _nullable,
    "Array": _array,
    "Tuple": _tuple,
    "Map": _map,
    "LowCardinality": _low_cardinality,
    "SimpleAggregateFunction": _aggregate,
}


def _head(type_name: str) -> int:
    """Bytes before the values: each LowCardinality inside says its version first."""
    return _LOW_CARDINALITY_HEAD * len(re.findall(r"\bLowCardinality\(", _without_quoted(type_name)))


def _without_quoted(type_name: str) -> str:
    return re.sub(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`", "''", type_name)


def _parted(type_name: str) -> tuple[str, list[str]]:
    """The type's name and its arguments: Tuple(a String, b UInt8) -> Tuple, [String, UInt8]."""
    plain = _without_quoted(type_name).strip()
    name, _, rest = plain.partition("(")
    parts, depth = [""], 0
    for character in rest.removesuffix(")"):
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    named = name in ("Tuple", "Nested")
    arguments = [_unnamed(part.strip()) if named else part.strip() for part in parts if part.strip()]
    if name == "Nested":
        return "Array", [f"Tuple({', '.join(arguments)})"]
    return name, arguments


def _unnamed(element: str) -> str:
    """An element of a tuple without its name."""
    found = re.fullmatch(r"(?:\w+|'') (.+)", element)
    return found[1] if found else element


def _varint(data: bytearray, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise _Short


def _string(data: bytearray, at: int) -> int:
    size, at = _varint(data, at)
    return _within(data, at + size)


def _within(data: bytearray, at: int) -> int:
    if at > len(data):
        raise _Short
    return at
