"""Looks for a subject in the bytes of files, also in those that the engine has compressed. Pure over bytes.

The engine writes columns as blocks, one after the other:

    16 bytes checksum | 1 byte method | 4 bytes size with this head | 4 bytes plain size | data
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import lz4.block
import zstandard

from sightline_collector.access.places import files, places
from sightline_collector.access.redaction import Redaction
from sightline_collector.access.subject import Subject
from sightline_collector.wal.segment import varint

_HEAD = struct.Struct("<16xBII")
_CHECKSUM_BYTES = 16
_PLAIN, _LZ4, _ZSTD = 0x02, 0x82, 0x90
_PLAIN_BYTES_MAX = 1 << 30
_READ_BYTES = 16 << 20
_TRACE_ID = re.compile(rb"[0-9a-f]{32}")
_INTEGER = b"\x18"
"""The first byte of such an AnyValue."""

WORD_BYTES_MAX = 7
"""Ids as short as that are in every file by chance: they are looked for as whole words."""
PART = "part of a word"
"""A name within a longer word: another's id, or chance."""
SCHEMA = "a word of the schema"
"""An id such as `admin`, where the engine keeps a statement of ours that has this word."""
_STATEMENT = ".sql"


@dataclass(frozen=True, slots=True)
class Found:
    """A file that holds an id of the subject's: `user`, `session` or `trace`; or a `name` that was redacted,
    or a name as `part of a word`; or an id that is `a word of the schema`."""

    file: str
    what: str


@dataclass(slots=True)
class Searched:
    """What was looked through. `gone`: files that were no more when their turn came; `unreadable`: files and
    folders that are there and could not be read."""

    files: int = 0
    size_bytes: int = 0
    plain_bytes: int = 0
    gone: int = 0
    unreadable: int = 0

    def failed(self, error: OSError) -> None:
        """Counts what could not be read."""
        if isinstance(error, FileNotFoundError):
            self.gone += 1
        else:
            self.unreadable += 1


class Needles:
    """What to look for: a user's or a session's id, those of their traces; after a redaction its names.

    `schema` is the text of our own statements.
    """

    def __init__(self, subject: Subject, redaction: Redaction | None = None, schema: bytes = b"") -> None:
        named = {"session": subject.session} if subject.session else {"user": subject.user}
        self._words = {what: _pattern(said) for what, said in named.items()}
        if redaction:
            self._words = {"name": redaction.sought, PART: redaction.anywhere}
        self._ours = {what for what, pattern in self._words.items() if pattern.search(schema)}
        self._traces = frozenset(trace.encode() for trace in subject.traces)
        self._raw = tuple(bytes.fromhex(t) for t in subject.traces if _TRACE_ID.fullmatch(t.encode()))
        self._values = () if subject.session else tuple(_as_sent(subject))
        names = (subject.user, subject.session, *(redaction.names if redaction else ()))
        longest = max(32, *(len(name.encode()) for name in names), *map(len, self._values))
        self.overlap_bytes = longest + 3

    def within(self, text: bytes, *, raw: bool = False) -> Iterator[str]:
        """What of it is in the text; `raw`: also as senders write them, ids of traces in 16 bytes, and those
        of users that are no text."""
        found = [what for what, pattern in self._words.items() if pattern.search(text)]
        yield from found[:1]
        if raw and any(value in text for value in self._values):
            yield "user"
        if (self._traces and not self._traces.isdisjoint(_TRACE_ID.findall(text))) or (
            raw and any(trace in text for trace in self._raw)
        ):
            yield "trace"

    def of_statement(self, found: Iterable[str]) -> set[str]:
        """What was found in a statement that the engine keeps: nothing that was sent is in one of ours."""
        return {SCHEMA if what in self._ours else what for what in found}


def _as_sent(subject: Subject) -> Iterator[bytes]:
    """A user's id that is no text, as an attribute's value: a short one with the attribute's name."""
    for value in subject.values:
        sent = b"\x12" + varint(len(value)) + value
        if value[:1] == _INTEGER and len(sent) > WORD_BYTES_MAX:
            yield sent
        else:
            keys = (key.encode() for key in subject.keys)
            yield from (b"\x0a" + varint(len(key)) + key + sent for key in keys)


def _pattern(said: str) -> re.Pattern[bytes]:
    word = re.escape(said.encode())
    return re.compile(rb"(?<![\w-])" + word + rb"(?![\w-])" if len(said.encode()) <= WORD_BYTES_MAX else word)


def search(folder: Path, needles: Needles, searched: Searched, *others: Path) -> Iterator[Found]:
    """Each file below the folder, below others and wherever links in them lead that holds one of the needles,
    raw or uncompressed: by its path in the folder, by its whole path elsewhere."""
    own = Path(os.path.realpath(folder))
    for place in places(folder, *others):
        if not os.path.lexists(place):
            searched.unreadable += 1  # a disk that is not mounted may hold it
            continue
        for path in files(place, searched.failed):
            searched.files += 1
            try:
                found = set(_within(path, needles, searched))
            except OSError as e:
                searched.failed(e)
                continue
            if path.suffix == _STATEMENT:
                found = needles.of_statement(found)
            name = path.relative_to(own) if path.is_relative_to(own) else path
            yield from (Found(str(name), what) for what in sorted(found))


def _within(path: Path, needles: Needles, searched: Searched) -> Iterator[str]:
    with path.open("rb") as file:
        tail = b""
        while chunk := file.read(_READ_BYTES):
            searched.size_bytes += len(chunk)
            yield from needles.within(tail + chunk, raw=True)
            tail = chunk[-needles.overlap_bytes :]
    tail = b""
    for plain in blocks(path):
        searched.plain_bytes += len(plain)
        yield from needles.within(tail + plain)
        tail = (tail + plain)[-needles.overlap_bytes :]


def blocks(path: Path) -> Iterator[bytes]:
    """The uncompressed blocks of a file of the engine's; none of a file that is no such."""
    with path.open("rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            method, size, plain_size = _HEAD.unpack(head)
            data_bytes = size - (_HEAD.size - _CHECKSUM_BYTES)
            if method not in (_PLAIN, _LZ4, _ZSTD) or data_bytes < 0 or plain_size > _PLAIN_BYTES_MAX:
                # Numbers may be packed in other ways; the next block can be text again.
                if method < 0x80 or data_bytes < 0:
                    return
                file.seek(data_bytes, 1)
                continue
            try:
                yield _unpacked(method, file.read(data_bytes), plain_size)
            except (zstandard.ZstdError, lz4.block.LZ4BlockError, ValueError):
                return


def _unpacked(method: int, data: bytes, plain_size: int) -> bytes:
    if method == _ZSTD:
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=plain_size)
    return bytes(lz4.block.decompress(data, uncompressed_size=plain_size)) if method == _LZ4 else data
