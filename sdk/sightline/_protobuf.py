"""Protobuf's wire format, written directly: no message objects, a seventh of their cost. Pure.

    field    = tag, then by its wire type: varint | 8 bytes | length, bytes | 4 bytes
    tag      = one byte, `number << 3 | wire type`: ours have numbers up to 15, and 16 in two bytes
    AnyValue = string 1 | bool 2 | int 3 | array 4 | map 5 | double 6 | bytes 7

See protobuf.dev/programming-guides/encoding and opentelemetry/proto/common/v1/common.proto. What the format
cannot carry is written as what comes nearest: a lone surrogate as "?", an integer beyond 64 bits as its text,
a foreign object as the name of its type.
"""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

_KEYS_MAX: Final = 4_096  # names are few; a program that makes them up must not fill the memory
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_UINT64_MASK: Final = 2**64 - 1

_ONE_BYTE: Final = tuple(bytes((number,)) for number in range(128))

fixed64: Final[Callable[[int], bytes]] = struct.Struct("<Q").pack
fixed32: Final[Callable[[int], bytes]] = struct.Struct("<I").pack
_double: Final[Callable[[float], bytes]] = struct.Struct("<d").pack


def varint(number: int) -> bytes:
    """A number from 0 to 2^64 - 1, seven bits a byte, the lowest first."""
    if number < 128:
        return _ONE_BYTE[number]
    if number < 16_384:
        return bytes((number & 127 | 128, number >> 7))
    return bytes((number & 127 | 128,)) + varint(number >> 7)


def field(tag: bytes, data: bytes) -> bytes:
    """A field of bytes, text or a message."""
    return tag + varint(len(data)) + data


def utf8(text: str) -> bytes:
    """The text's bytes; a lone surrogate, which no reader would take, becomes "?"."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def attributes(tag: bytes, values: Mapping[str, Any]) -> bytes:
    """Each pair as a KeyValue field with this tag."""
    written: list[bytes] = []
    for name, value in values.items():
        value_field = any_value(value)
        key = _keys.get(name) or _key(name)
        written += tag, varint(len(key) + len(value_field)), key, value_field
    return b"".join(written)


def any_value(value: object, tag: bytes = b"\x12") -> bytes:
    """A value as an AnyValue field, by default the one beside a key; None is an AnyValue that holds nothing."""
    if type(value) is str:
        text = utf8(value)
        size = varint(len(text))
        return b"".join((tag, varint(1 + len(size) + len(text)), b"\x0a", size, text))
    return field(tag, _content(value))


def _content(value: object) -> bytes:
    """Of an AnyValue: the one member that it has."""
    if value is None:
        return b""
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return b"\x31" + _double(value)
    if isinstance(value, str):
        return field(b"\x0a", utf8(str.__str__(value)))
    if isinstance(value, bytes):
        return field(b"\x3a", value)
    if isinstance(value, Mapping):
        return field(b"\x2a", attributes(b"\x0a", {_name(key): item for key, item in value.items()}))
    if isinstance(value, Sequence):
        return field(b"\x22", _items(value))
    return field(b"\x0a", utf8(f"<{type(value).__module__}.{type(value).__qualname__}>"))


def _items(values: Iterable[object]) -> bytes:
    return b"".join([any_value(value, b"\x0a") for value in values])


def _integer(number: int) -> bytes:
    if _INT64_MIN <= number <= _INT64_MAX:
        return b"\x18" + varint(number & _UINT64_MASK)
    return field(b"\x0a", integer_text(number).encode())


def integer_text(number: int) -> str:
    """An integer of any size as text; Python refuses to write out one of thousands of digits."""
    try:
        return str(number)
    except ValueError:
        return f"<integer of {number.bit_length()} bits>"


_keys: Final[dict[str, bytes]] = {}


def _key(name: str) -> bytes:
    """The key field of a name, kept for the next time."""
    if len(_keys) >= _KEYS_MAX:
        _keys.clear()
    key = _keys[name] = field(b"\x0a", utf8(name))
    return key


def _name(key: object) -> str:
    return key if isinstance(key, str) else str(key)
