"""Single JSON values as protobuf's wire format has them, without tag and length. Pure.

Each encoder takes what protobuf's JSON mapping allows for its type and raises one of REFUSALS for the rest:
rather an error that names it than a value that was guessed.
"""

import binascii
import codecs
import struct
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from sightline_collector.wal.segment import varint

LENGTH_DELIMITED = 2

REFUSALS = (ValueError, OverflowError, struct.error)

_SHORT_LENGTHS = [varint(length) for length in range(2048)]
_URL_SAFE = str.maketrans("-_", "+/")
_NO_TEXT = "sightline_no_text"


def delimited(tag: bytes, content: bytes) -> bytes:
    """Tag, length, content."""
    length = len(content)
    return tag + (_SHORT_LENGTHS[length] if length < 2048 else varint(length)) + content


def _kept_broken(fault: UnicodeError) -> tuple[bytes, int]:
    """A byte that UTF-8 never has for each half of a surrogate pair, so that the request is mended as any."""
    assert isinstance(fault, UnicodeEncodeError)
    return b"\xff" * (fault.end - fault.start), fault.end


codecs.register_error(_NO_TEXT, _kept_broken)


def _string(value: Any) -> bytes:
    """UTF-8; JavaScript escapes the half of a character that cutting a text leaves, which is no UTF-8."""
    if not isinstance(value, str):
        raise ValueError(f"{_shown(value)} is not a string")
    return value.encode(errors=_NO_TEXT)


def _bytes(value: Any) -> bytes:
    """Base64, of either alphabet, with or without padding."""
    if not isinstance(value, str):
        raise ValueError(f"{_shown(value)} is not base64")
    standard = value.translate(_URL_SAFE).rstrip("=")
    return binascii.a2b_base64(standard + "=" * (-len(standard) % 4), strict_mode=True)


def id_bytes(value: Any) -> bytes:
    """An id from hexadecimal."""
    try:
        return binascii.unhexlify(value)
    except (TypeError, ValueError):
        raise ValueError(f"an id is hexadecimal, not {_shown(value)}") from None


def _bool(value: Any) -> bytes:
    if not isinstance(value, bool):
        raise ValueError(f"{_shown(value)} is not true or false")
    return b"\x01" if value else b"\x00"


def _enum(value: Any) -> bytes:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"an enum is an integer, not {_shown(value)}")
    return _signed(value, 32)


def _integer(value: Any) -> int:
    """From a number or a string; 3.0 is an integer, 3.5, true and " 3" are not."""
    if isinstance(value, str) and value.removeprefix("-").isascii() and value.removeprefix("-").isdigit():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise ValueError(f"{_shown(value)} is not an integer")


def _signed(value: int, bits: int) -> bytes:
    if not -(1 << bits - 1) <= value < 1 << bits - 1:
        raise ValueError(f"{value} does not fit into {bits} bits")
    return varint(value & 0xFFFF_FFFF_FFFF_FFFF)


def _unsigned(value: int, bits: int) -> bytes:
    if not 0 <= value < 1 << bits:
        raise ValueError(f"{value} does not fit into {bits} bits")
    return varint(value)


def _double(value: Any) -> bytes:
    """From a number, or a string: also "NaN", "Infinity" and "-Infinity"."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{_shown(value)} is not a number")
    return struct.pack("<d", float(value))


def _fixed(layout: str) -> Callable[[Any], bytes]:
    pack = struct.Struct(layout).pack
    return lambda value: pack(_integer(value))


def _shown(value: Any) -> str:
    return repr(value)[:50]


ENCODERS: dict[int, Callable[[Any], bytes]] = {
    FieldDescriptor.TYPE_STRING: _string,
    FieldDescriptor.TYPE_BYTES: _bytes,
    FieldDescriptor.TYPE_BOOL: _bool,
    FieldDescriptor.TYPE_ENUM: _enum,
    FieldDescriptor.TYPE_INT32: lambda value: _signed(_integer(value), 32),
    FieldDescriptor.TYPE_INT64: lambda value: _signed(_integer(value), 64),
    FieldDescriptor.TYPE_SINT32: lambda value: _unsigned(_zigzag(_integer(value)), 32),
    FieldDescriptor.TYPE_UINT32: lambda value: _unsigned(_integer(value), 32),
    FieldDescriptor.TYPE_UINT64: lambda value: _unsigned(_integer(value), 64),
    FieldDescriptor.TYPE_FIXED32: _fixed("<I"),
    FieldDescriptor.TYPE_FIXED64: _fixed("<Q"),
    FieldDescriptor.TYPE_SFIXED64: _fixed("<q"),
    FieldDescriptor.TYPE_DOUBLE: _double,
}

WIRE_TYPES = {
    **dict.fromkeys(
        (
            FieldDescriptor.TYPE_BOOL,
            FieldDescriptor.TYPE_ENUM,
            FieldDescriptor.TYPE_INT32,
            FieldDescriptor.TYPE_INT64,
            FieldDescriptor.TYPE_SINT32,
            FieldDescriptor.TYPE_UINT32,
            FieldDescriptor.TYPE_UINT64,
        ),
        0,
    ),
    **dict.fromkeys(
        (FieldDescriptor.TYPE_FIXED64, FieldDescriptor.TYPE_SFIXED64, FieldDescriptor.TYPE_DOUBLE), 1
    ),
    FieldDescriptor.TYPE_FIXED32: 5,
}


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1
