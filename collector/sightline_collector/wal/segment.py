r"""Segment files: acknowledged requests one after the other, as the engine reads them. Pure over bytes.

    segment = record record record ...                       nothing else is in the file

    record  = +-----------------+-------------------------------+---------------------------------------+
              | length (varint) | body: the sender's own bytes  | trailer: fields that we append        |
              +-----------------+-------------------------------+---------------------------------------+
                length counts body + trailer; the two together are one valid protobuf message

    trailer = 1001 received_at  varint    unix time in ns when the request had arrived
              1002 batch        varint    number of the segment, the same in each of its records
              1003 writer       string    32 hex digits: the log folder's identity
              1004 project      string    1 to 64 of [A-Za-z0-9._-]
              1005 items        varint    spans, log records or data points, counted at the door
              1006 crc32        fixed32   of every byte of body and trailer before this field's tag

A sender that puts such fields into its body forges nothing: ours come last, and the last value wins. The
trailer is read from the record's end. It has only one reading: writer and project are of closed alphabets.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from sightline_collector.wal.crc import Sums

PROJECT = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
DEFAULT_PROJECT = "default"

# Items of one request, and of one segment: what the engine inserts as one block, so all or nothing, with
# memory to spare.
BLOCK_ITEMS_MAX = 50_000

# Room for the largest length and trailer: varints of 10 bytes, strings of 32 and 64, crc, six tags of 2.
FRAME_BYTES_MAX = 160

_VARINT = rb"[\x80-\xff]{0,9}[\x00-\x7f]"
_TRAILER = re.compile(
    rb"\xc8\x3e(" + _VARINT + rb")\xd0\x3e(" + _VARINT + rb")\xda\x3e\x20([0-9a-f]{32})"
    rb"\xe2\x3e[\x01-\x40]([A-Za-z0-9._-]{1,64})\xe8\x3e(" + _VARINT + rb")\xf5\x3e(.{4})",
    re.DOTALL,
)
_TRAILER_AT_END = re.compile(_TRAILER.pattern + rb"\Z", re.DOTALL)
_CRC_FIELD_BYTES = 6
_LENGTH_BYTES_MAX = 5  # a record is below 32 GiB by far; a longer length is damage


class Signal(StrEnum):
    """The three kinds of OTLP request, each with segments of its own."""

    TRACES = "traces"
    LOGS = "logs"
    METRICS = "metrics"


class DamageKind(StrEnum):
    """Why bytes of a segment are not a record."""

    TORN = "torn"  # the file ends before the record does: the process died while it wrote
    ZEROS = "zeros"  # the rest of the file is zeros: the length reached the disk, the bytes did not
    FLIPPED = "flipped"  # the checksum or the frame does not hold: the medium changed it
    FOREIGN = "foreign"  # a whole record, but of another segment


@dataclass(frozen=True, slots=True)
class Entry:
    """One checked request on its way to disk."""

    body: bytes
    items: int
    project: str
    received_at_ns: int


@dataclass(frozen=True, slots=True)
class Record:
    """One whole record: where it lies in its segment, and what its trailer says."""

    start: int
    body_start: int
    body_end: int
    end: int
    received_at_ns: int
    batch: int
    writer: str
    project: str
    items: int

    def body(self, segment: bytes) -> memoryview:
        """The sender's bytes, without length and trailer, not copied."""
        return memoryview(segment)[self.body_start : self.body_end]

    def framed(self, segment: bytes) -> memoryview:
        """Length, body and trailer, not copied: by itself a segment of one record."""
        return memoryview(segment)[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes between whole records that are no record."""

    start: int
    end: int
    kind: DamageKind


def varint(number: int) -> bytes:
    """Protobuf's variable-length encoding of 0 <= number < 2**64."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def frame(entry: Entry, batch: int, writer: str) -> tuple[bytes, bytes]:
    """The length that goes before the entry's body and the trailer after it; the body is not copied.

    Raises ValueError for a project or writer outside its alphabet.
    """
    trailer = b"\xc8\x3e%b%b%b\xe8\x3e%b" % (
        varint(entry.received_at_ns),
        _origin_fields(batch, writer),
        _project_field(entry.project),
        varint(entry.items),
    )
    crc = zlib.crc32(trailer, zlib.crc32(entry.body))
    trailer += b"\xf5\x3e" + crc.to_bytes(4, "little")
    return varint(len(entry.body) + len(trailer)), trailer


@lru_cache(maxsize=64)
def _origin_fields(batch: int, writer: str) -> bytes:
    if not re.fullmatch("[0-9a-f]{32}", writer):
        raise ValueError(f"a writer is 32 hex digits, not {writer!r}")
    return b"\xd0\x3e" + varint(batch) + b"\xda\x3e\x20" + writer.encode()


@lru_cache(maxsize=4096)
def _project_field(project: str) -> bytes:
    if not PROJECT.match(project):
        raise ValueError(f"a project is 1 to 64 of A-Z a-z 0-9 . _ -, not {project!r}")
    return b"\xe2\x3e" + bytes([len(project)]) + project.encode()


def read(segment: bytes, batch: int | None = None) -> Iterator[Record | Damage]:
    """Every whole record of segment number `batch`, in order, and every stretch between that is none.

    What comes out covers each byte once. A cut at any byte loses only the record that it cuts; after damage
    in the middle, reading goes on at the next whole record. Without `batch`, a record of any number is whole.
    """
    position, sums = 0, Sums(segment)
    while position < len(segment):
        record = _record_at(segment, position, batch)
        found = (
            _damage_at(segment, position, batch, record, sums) if isinstance(record, DamageKind) else record
        )
        yield found
        position = found.end


def records(segment: bytes, batch: int | None = None) -> list[Record]:
    """The whole records of segment number `batch`, in order."""
    return [found for found in read(segment, batch) if isinstance(found, Record)]


def _record_at(
    segment: bytes, start: int, batch: int | None, sums: Sums | None = None
) -> Record | DamageKind:
    length = _length_at(segment, start)
    if isinstance(length, DamageKind):
        return length
    body_start, end = length
    if end > len(segment):
        return DamageKind.TORN
    match = _TRAILER_AT_END.search(segment, max(body_start, end - FRAME_BYTES_MAX), end)
    if match is None or not _crc_holds(segment, body_start, end, match[6], sums):
        return DamageKind.FLIPPED
    received_at, own_batch, writer, project, items = match.group(1, 2, 3, 4, 5)
    if batch not in (None, _number(own_batch)):
        return DamageKind.FOREIGN
    return Record(
        start, body_start, match.start(), end,
        _number(received_at), _number(own_batch), writer.decode(), project.decode(), _number(items),
    )  # fmt: skip


def _length_at(segment: bytes, start: int) -> tuple[int, int] | DamageKind:
    """Where the body starts and the record ends; the record is not read yet."""
    length = 0
    for count, byte in enumerate(segment[start : start + _LENGTH_BYTES_MAX]):
        length |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            body_start = start + count + 1
            return (body_start, body_start + length) if length else DamageKind.FLIPPED
    return DamageKind.TORN if len(segment) - start < _LENGTH_BYTES_MAX else DamageKind.FLIPPED


def _crc_holds(segment: bytes, body_start: int, end: int, crc: bytes, sums: Sums | None) -> bool:
    """`sums`: where many overlapping stretches are tried."""
    stop = end - _CRC_FIELD_BYTES
    found = sums.of(body_start, stop) if sums else zlib.crc32(memoryview(segment)[body_start:stop])
    return found == int.from_bytes(crc, "little")


def _damage_at(segment: bytes, start: int, batch: int | None, kind: DamageKind, sums: Sums) -> Damage:
    end = _next_record(segment, start, batch, sums)
    if end < len(segment):
        kind = DamageKind.FLIPPED if kind is DamageKind.TORN else kind
    elif not segment[start] and segment.count(0, start) == len(segment) - start:
        kind = DamageKind.ZEROS
    return Damage(start, end, kind)


def _next_record(segment: bytes, start: int, batch: int | None, sums: Sums) -> int:
    """Where the next whole record starts after damage at `start`; the segment's end when there is none."""
    length = _length_at(segment, start)
    claimed = [] if isinstance(length, DamageKind) else [length[1]]
    trailers = (match.end() for match in _TRAILER.finditer(segment, start))
    for end in (*claimed, *trailers):
        if start < end < len(segment) and isinstance(_record_at(segment, end, batch, sums), Record):
            return end
    return len(segment)


def _number(encoded: bytes) -> int:
    """The varint's value, cut to the 64 bits that the engine reads."""
    number = 0
    for count, byte in enumerate(encoded):
        number |= (byte & 0x7F) << 7 * count
    return number & 0xFFFF_FFFF_FFFF_FFFF
