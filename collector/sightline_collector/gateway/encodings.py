"""Content codings of HTTP: requests are unpacked within a bound, answers packed as they stream. Pure."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from typing import Protocol

import lz4.frame
import zstandard

PACK_LEVEL = 1
"""Packing shares two cores with the engine: the fastest level takes most of the gain."""

_ZSTD_WINDOW_BYTES_MAX = 8 << 20
# A zstd block of 4 bytes can become 128 KiB: fed so little at a time, it oversteps a bound by 8 MiB at most.
_ZSTD_STEP_BYTES = 256


class Packer(Protocol):
    """Packs a stream of bytes piece by piece."""

    def compress(self, data: bytes, /) -> bytes:
        """The packed bytes so far, perhaps none."""

    def flush(self) -> bytes:
        """The last packed bytes."""


class _Lz4:
    """The frame format, as clickhouse-connect means it by `lz4`."""

    def __init__(self) -> None:
        self._frame = lz4.frame.LZ4FrameCompressor(compression_level=PACK_LEVEL)
        self._begun = False

    def compress(self, data: bytes) -> bytes:
        head = b"" if self._begun else bytes(self._frame.begin())
        self._begun = True
        return head + bytes(self._frame.compress(data))

    def flush(self) -> bytes:
        head = b"" if self._begun else bytes(self._frame.begin())
        return head + bytes(self._frame.flush())


PACKERS: dict[str, Callable[[], Packer]] = {
    "zstd": lambda: zstandard.ZstdCompressor(level=PACK_LEVEL).compressobj(),
    "lz4": _Lz4,
    "gzip": lambda: zlib.compressobj(PACK_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS),
    "deflate": lambda: zlib.compressobj(PACK_LEVEL),
}
"""In the order of our preference, among what a client takes equally."""


def preferred(accepted: str) -> str:
    """The coding to answer in, of those an Accept-Encoding names; "" when it names none of ours."""
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, *parameters = (one.strip() for one in part.split(";"))
        weight = next((one[2:] for one in parameters if one.startswith("q=")), "")
        try:
            weights[name] = float(weight or 1)
        except ValueError:
            continue
    ours = [name for name in PACKERS if weights.get(name, 0) > 0]
    return max(ours, key=lambda name: weights[name], default="")


def inflated(body: bytes, coding: str, bound: int) -> bytes | None:
    """The plain body, None when it is larger than the bound; nothing is nothing in any coding.

    Raises ValueError: not of that coding, or cut short, so that no half of a statement is ever run.
    """
    name = coding.strip().lower()
    if name in ("", "identity") or not body:
        return body
    if name not in _READERS:
        raise ValueError(f"the coding {coding[:40]!r} is not spoken here, use {', '.join(_READERS)}")
    try:
        plain = _READERS[name](body, bound + 1)
    except (OSError, EOFError, zlib.error, zstandard.ZstdError, RuntimeError) as e:
        raise ValueError(f"it is no {name} ({e})") from None
    return plain if len(plain) <= bound else None


def _gzip(body: bytes, most: int) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
        return file.read(most)


def _zstd(body: bytes, most: int) -> bytes:
    """One frame after the other."""
    context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES_MAX)
    unpacker = context.decompressobj()
    plain = bytearray()
    for start in range(0, len(body), _ZSTD_STEP_BYTES):
        step = body[start : start + _ZSTD_STEP_BYTES]
        while step and len(plain) < most:
            if unpacker.eof:
                unpacker = context.decompressobj()
            plain += unpacker.decompress(step)
            step = unpacker.unused_data
    return _whole(bytes(plain[:most]), most, unpacker.eof, b"")


def _lz4(body: bytes, most: int) -> bytes:
    unpacker = lz4.frame.LZ4FrameDecompressor()
    plain = bytes(unpacker.decompress(body, max_length=most))
    return _whole(plain, most, unpacker.eof, unpacker.unused_data)


def _deflate(body: bytes, most: int) -> bytes:
    unpacker = zlib.decompressobj()
    plain = unpacker.decompress(body, most)
    return _whole(plain, most, unpacker.eof, unpacker.unused_data)


def _whole(plain: bytes, most: int, ended: bool, rest: bytes | None) -> bytes:
    if len(plain) < most and (rest or not ended):
        raise EOFError("more follows its end" if ended else "it ends too early")
    return plain


_READERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip,
    "zstd": _zstd,
    "lz4": _lz4,
    "deflate": _deflate,
}
