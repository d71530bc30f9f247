"""Recorded OTLP requests as a file: each behind its length, a varint, as protobuf's own tools write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sightline_collector.wal.segment import varint

MORE = 0x80
"""The bit of a varint's byte that says another follows."""


def write(file: Path, requests: Iterable[bytes]) -> None:
    """Replace the file."""
    file.write_bytes(b"".join(varint(len(body)) + body for body in requests))


def read(file: Path) -> Iterator[bytes]:
    """The requests in order; none where there is no file."""
    data = file.read_bytes() if file.exists() else b""
    at = 0
    while at < len(data):
        length, at = _length(data, at)
        yield data[at : at + length]
        at += length


def _length(data: bytes, at: int) -> tuple[int, int]:
    """The varint at this place, and the place behind it."""
    length = shift = 0
    while data[at] & MORE:
        length |= (data[at] & ~MORE) << shift
        at, shift = at + 1, shift + 7
    return length | data[at] << shift, at + 1
