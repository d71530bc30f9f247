"""Requests that the engine will never take: kept with the reason, to be looked at. Blocking.

::

    traces-00000000000000000042-5f3a01bc.otlp   the record: by itself a segment of one, crc in its name
    traces-00000000000000000042-5f3a01bc.json   why, when, and what it is

A letter is its request. The reason is written before it and removed after it, so a reason by itself is what a
process left that died in between, and nothing is lost with it; a request by itself has lost its reason only.
A request that is put aside twice, because the process died in between, is one letter, by its name.
"""

import json
import os
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from pydantic import TypeAdapter

from sightline_collector.errors import FolderUnusable
from sightline_collector.wal.segment import DEFAULT_PROJECT, Record, Signal, records

# A gigabyte of refused requests is an incident that somebody has to look at; more of them tell nothing new.
LETTERS_BYTES_MAX = 1 << 30
REQUEST, REASON = ".otlp", ".json"
REASON_LOST = "why it was put aside is not known any more: its .json is missing or damaged"
_NAME = re.compile(r"(traces|logs|metrics)-(\d{20})-[0-9a-f]{8}")


class LossCounter(Protocol):
    """Who counts what is gone for good."""

    def lost(self, signal: Signal, reason: str, items: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Letter:
    """One request put aside; `why` and `code` are the engine's words."""

    path: Path
    signal: Signal
    why: str
    code: int
    items: int
    project: str
    batch: int
    received_at_ns: int
    put_at_ns: int
    size_bytes: int


class DeadLetters:
    """A folder of letters, bounded in bytes: the oldest goes for the newest, its items counted as lost.

    It goes once the newest is durable, for which the folder is over its bound by that one. May be used from
    several threads.
    """

    def __init__(
        self,
        folder: Path,
        losses: LossCounter,
        limit_bytes: int = LETTERS_BYTES_MAX,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Opens the folder, making it when absent. Raises FolderUnusable."""
        self._folder = folder
        self._losses = losses
        self._limit_bytes = limit_bytes
        self._clock_ns = clock_ns
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _clear_reasons(folder)
            found = [_letter(path) for path in folder.glob(f"*{REQUEST}") if _NAME.fullmatch(path.stem)]
        except OSError as error:
            raise FolderUnusable(
                f"The dead letters in {folder} cannot be read: {error}", hint="Mend its disk, or its owner"
            ) from error
        self._letters = {letter.path: letter for letter in sorted(found, key=lambda one: one.put_at_ns)}

    @property
    def size_bytes(self) -> int:
        """Bytes of all requests put aside."""
        return sum(letter.size_bytes for letter in self.letters())

    @property
    def limit_bytes(self) -> int:
        """What they may hold together."""
        return self._limit_bytes

    def letters(self) -> list[Letter]:
        """All of them, the oldest first."""
        return list(self._letters.values())

    def put(self, signal: Signal, framed: bytes, record: Record, why: str, code: int) -> bool:
        """Keeps a framed record, durable on return; False when it alone is beyond the bound, and lost.

        Raises OSError, having lost nothing: put again, it is one letter.
        """
        name = f"{signal}-{record.batch:020d}-{framed[-4:].hex()}{REQUEST}"  # it ends with its crc
        letter = Letter(
            self._folder / name, signal, why, code, record.items, record.project,
            record.batch, record.received_at_ns, self._clock_ns(), len(framed),
        )  # fmt: skip
        with self._lock:
            if letter.size_bytes > self._limit_bytes:
                self._losses.lost(signal, "dead_letter_too_large", letter.items)
                return False
            self._write(letter, framed)
            self._letters.pop(letter.path, None)  # of that name before: now it is the newest
            self._letters[letter.path] = letter
            self._drop_oldest()
            return True

    def read(self, letter: Letter) -> bytes:
        """The framed record: by itself a segment of one. Raises OSError."""
        return letter.path.read_bytes()

    def drop(self, letter: Letter) -> None:
        """Removes a letter; one that is gone already is no error."""
        with self._lock:
            self._remove(letter)

    def _drop_oldest(self) -> None:
        held_bytes = self.size_bytes
        for oldest in self.letters():
            if held_bytes <= self._limit_bytes:
                return
            self._remove(oldest)
            self._losses.lost(oldest.signal, "dead_letter_dropped", oldest.items)
            held_bytes -= oldest.size_bytes

    def _remove(self, letter: Letter) -> None:
        letter.path.unlink(missing_ok=True)
        letter.path.with_suffix(REASON).unlink(missing_ok=True)
        self._letters.pop(letter.path, None)

    def _write(self, letter: Letter, framed: bytes) -> None:
        said = {name: value for name, value in asdict(letter).items() if name != "path"}
        _write_durably(letter.path.with_suffix(REASON), json.dumps(said, indent=2).encode())
        _write_durably(letter.path, framed)
        fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


_LETTERS = TypeAdapter(Letter)


def _clear_reasons(folder: Path) -> None:
    """Removes those without a request. Raises FolderUnusable for JSON that is somebody else's."""
    for path in folder.glob(f"*{REASON}"):
        if not _NAME.fullmatch(path.stem):
            raise FolderUnusable(
                f"{path} is no dead letter", hint="Move what is not a dead letter out of that folder"
            )
        if not path.with_suffix(REQUEST).exists():
            path.unlink()


def _letter(path: Path) -> Letter:
    try:
        said = json.loads(path.with_suffix(REASON).read_bytes())
        return _LETTERS.validate_python({**said, "path": path})
    except (FileNotFoundError, ValueError, TypeError):  # pydantic's error is a ValueError
        return _without_reason(path)


def _without_reason(path: Path) -> Letter:
    """What the request itself tells; nothing but its size when that is damaged, too."""
    framed, at_ns = path.read_bytes(), path.stat().st_mtime_ns
    signal, batch, _ = path.stem.split("-")
    whole = records(framed)
    known = whole[0] if len(whole) == 1 else None
    return Letter(
        path, Signal(signal), REASON_LOST, 0, known.items if known else 0,
        known.project if known else DEFAULT_PROJECT, int(batch),
        known.received_at_ns if known else at_ns, at_ns, len(framed),
    )  # fmt: skip


def _write_durably(path: Path, content: bytes) -> None:
    new = path.with_suffix(".new")
    try:
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.rename(path)
    except OSError:
        with suppress(OSError):  # half a letter would take room on a disk that has none
            new.unlink()
        raise
