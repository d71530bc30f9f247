"""Protobuf's wire format, written and read directly: no message objects, a fourth of their cost. Pure.

    field    = tag, then by its wire type: varint | 8 bytes | length and bytes | 4 bytes
    tag      = varint of `number << 3 | wire type`
    KeyValue = key 1, value 2
    AnyValue = one of string 1, bool 2, int 3, double 4, array 5, map 6, bytes 7

See protobuf.dev/programming-guides/encoding and opentelemetry/proto/common/v1/common.proto. What the format
cannot carry is written as what comes nearest: a lone surrogate as "?", an integer beyond 64 bits as its text,
a foreign object as the name of its type.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

_KEYS_MAX: Final = 4_096  # names are few; a program that makes them up must not fill the memory
_SHORT: Final = 125  # with three more bytes between them, the length of key and text is below 128
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_REPEATED: Final = 64  # characters: a longer text is hardly ever the same again, and slow to look up
_PAIRS_MAX: Final = 64
_UINT64_MASK: Final = 2**64 - 1

_ONE_BYTE: Final = tuple(bytes((number,)) for number in range(128))

fixed64: Final[Callable[[int], bytes]] = struct.Struct("<Q").pack
fixed32: Final[Callable[[int], bytes]] = struct.Struct("<I").pack
_double: Final[Callable[[float], bytes]] = struct.Struct("<d").pack
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types


def varint(number: int) -> bytes:
    """A number from 0 to 2^64 - 1, seven bits a byte, the lowest first."""
    if number < 128:
        return _ONE_BYTE[number]
    if number < 16_384:
        return bytes((number & 127 | 128, number >> 7))
    return bytes((number & 127 | 128,)) + varint(number >> 7)


def tag(number: int, wire_type: int) -> bytes:
    """What stands before a field's content."""
    return varint(number << 3 | wire_type)


KEY: Final = tag(1, BYTES)
VALUE: Final = tag(2, BYTES)
ITEM: Final = tag(1, BYTES)  # of an array or a map
_STRING: Final = tag(1, BYTES)
_BOOL: Final = tag(2, VARINT)
_INT: Final = tag(3, VARINT)
_DOUBLE: Final = tag(4, FIXED64)
_ARRAY: Final = tag(5, BYTES)
_MAP: Final = tag(6, BYTES)
_BYTES: Final = tag(7, BYTES)


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
        kind = type(value)
        if (kind is str and len(value) < _REPEATED) or (kind is tuple and _is_one_word(value)):
            pairs = _pairs.get(name)
            if pairs is None:
                pairs = _pairs_of(name)
            pair = pairs.get(value)
            if pair is None:
                pair = _pair(name, value)
                if len(pairs) < _PAIRS_MAX:
                    pairs[value] = pair
        elif kind is str:  # most of a span's bytes: copied once
            text = utf8(value)
            written += tag, *_around(name, len(text)), text
            continue
        else:
            pair = _pair(name, value)
        written += tag, pair
    return b"".join(written)


def _around(name: str, size: int) -> tuple[bytes, bytes]:
    """What stands before a text of this size: the size of the whole pair, and its key and the text's size."""
    of_text = varint(size)
    content = 1 + len(of_text) + size
    key = _keys.get(name) or _key(name)
    before = b"".join((key, varint(content), _STRING, of_text))
    return varint(len(before) + size), before


def _is_one_word(value: tuple[Any, ...]) -> bool:
    """Most lists of texts, finish reasons for instance, have one of them, and the same ones again."""
    return len(value) == 1 and type(value[0]) is str and len(value[0]) < _REPEATED


def _pair(name: str, value: object) -> bytes:
    """A KeyValue, with its size before it."""
    key = _keys.get(name) or _key(name)
    text = utf8(value) if type(value) is str else None
    if text is not None and len(key) + len(text) < _SHORT:  # every length is one byte
        size = len(text)
        return b"%c%b%c%b%c%b" % (len(key) + size + 3, key, size + 2, _STRING, size, text)
    content = field(_STRING, text) if text is not None else _content(value)
    size_and_content = varint(len(content)) + content
    return b"".join((varint(len(key) + len(size_and_content)), key, size_and_content))


def any_value(tag: bytes, value: object) -> bytes:
    """A value as an AnyValue field with this tag; None is an AnyValue that holds nothing."""
    return field(tag, _content(value))


def _content(value: object) -> bytes:
    """Of an AnyValue: the one member that it has."""
    if type(value) is str:
        return field(_STRING, utf8(value))
    if value is None:
        return b""
    if isinstance(value, bool):
        return _BOOL + varint(value)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return _DOUBLE + _double(value)
    if isinstance(value, str):
        return field(_STRING, utf8(str.__str__(value)))
    if isinstance(value, bytes):
        return field(_BYTES, value)
    if isinstance(value, list | tuple):
        return field(_ARRAY, b"".join([any_value(ITEM, item) for item in value]))
    if isinstance(value, Mapping):
        return field(_MAP, attributes(ITEM, {_name(key): item for key, item in value.items()}))
    if isinstance(value, Sequence):
        return _content(list(value))
    return field(_STRING, utf8(f"<{type(value).__module__}.{type(value).__qualname__}>"))


def _integer(number: int) -> bytes:
    if _INT64_MIN <= number <= _INT64_MAX:
        return _INT + varint(number & _UINT64_MASK)
    return field(_STRING, integer_text(number).encode())


def integer_text(number: int) -> str:
    """An integer of any size as text; Python refuses to write out one of thousands of digits."""
    try:
        return str(number)
    except ValueError:
        return f"<integer of {number.bit_length()} bits>"


def rejected_items(answer: bytes) -> int:
    """Of an answer: what its `partial_success` says was rejected, 0 when all was taken. Raises ValueError."""
    return sum(
        rejected
        for number, partial in _fields(answer)
        if number == 1 and isinstance(partial, bytes)
        for inner, rejected in _fields(partial)
        if inner == 1 and isinstance(rejected, int)
    )


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message by number: varints as numbers, the rest as bytes."""
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        wire_type = key & 7
        if wire_type == VARINT:
            value, at = _read_varint(data, at)
            yield key >> 3, value
            continue
        if wire_type == BYTES:
            size, at = _read_varint(data, at)
        else:
            size = {FIXED64: 8, FIXED32: 4}.get(wire_type, len(data))
        if at + size > len(data):
            raise ValueError("a field is longer than its message")
        yield key >> 3, data[at : at + size]
        at += size


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """A number and where the next thing begins."""
    number = 0
    for place in range(10):
        if at + place >= len(data):
            break
        byte = data[at + place]
        number |= (byte & 127) << (7 * place)
        if byte < 128:
            return number, at + place + 1
    raise ValueError("a number does not end")


# Model, provider, feature, user: most short texts of a span were in the one before it. Ids are not, so a name
# keeps its first few.
_pairs: Final[dict[str, dict[Any, bytes]]] = {}


def _pairs_of(name: str) -> dict[Any, bytes]:
    if len(_pairs) >= _KEYS_MAX:
        _pairs.clear()
    pairs = _pairs[name] = {}
    return pairs


_keys: Final[dict[str, bytes]] = {}


def _key(name: str) -> bytes:
    """The key field of a name and the tag of the value after it, kept for the next time."""
    if len(_keys) >= _KEYS_MAX:
        _keys.clear()
    key = _keys[name] = field(KEY, utf8(name)) + VALUE
    return key


def _name(key: object) -> str:
    return key if isinstance(key, str) else str(key)
