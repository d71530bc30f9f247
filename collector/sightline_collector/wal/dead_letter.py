"""Requests that the engine will never take: kept with the reason, to be looked at. Blocking.

::

    traces-00000000000000000042-5f3a01bc.otlp   the record: by itself a segment of one, crc in its name
    traces-00000000000000000042-5f3a01bc.json   why, when, and what it is

A request that is put aside twice, because the process died in between, is one letter, by its name.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from sightline_collector.errors import FolderUnusable
from sightline_collector.wal.segment import Record, Signal

# A gigabyte of refused requests is an incident that somebody has to look at; more of them tell nothing new.
LETTERS_BYTES_MAX = 1 << 30


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

    May be used from several threads.
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
            found = [_letter(path) for path in folder.glob("*.json")]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FolderUnusable(
                f"The dead letters in {folder} cannot be read: {error}",
                hint="Move what is not a dead letter out of that folder, or mend its disk",
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

        Raises OSError, having kept nothing.
        """
        name = f"{signal}-{record.batch:020d}-{framed[-4:].hex()}.otlp"  # it ends with its crc
        letter = Letter(
            self._folder / name, signal, why, code, record.items, record.project,
            record.batch, record.received_at_ns, self._clock_ns(), len(framed),
        )  # fmt: skip
        with self._lock:
            if letter.size_bytes > self._limit_bytes:
                self._losses.lost(signal, "dead_letter_too_large", letter.items)
                return False
            self._make_room(letter)
            self._write(letter, framed)
            self._letters[letter.path] = letter
            return True

    def read(self, letter: Letter) -> bytes:
        """The framed record: by itself a segment of one. Raises OSError."""
        return letter.path.read_bytes()

    def drop(self, letter: Letter) -> None:
        """Removes a letter; one that is gone already is no error."""
        with self._lock:
            self._remove(letter)

    def _make_room(self, letter: Letter) -> None:
        self._letters.pop(letter.path, None)
        held_bytes = self.size_bytes
        for oldest in self.letters():
            if held_bytes + letter.size_bytes <= self._limit_bytes:
                return
            self._remove(oldest)
            self._losses.lost(oldest.signal, "dead_letter_dropped", oldest.items)
            held_bytes -= oldest.size_bytes

    def _remove(self, letter: Letter) -> None:
        letter.path.with_suffix(".json").unlink(missing_ok=True)
        letter.path.unlink(missing_ok=True)
        self._letters.pop(letter.path, None)

    def _write(self, letter: Letter, framed: bytes) -> None:
        """The request first: a letter is one when its JSON is there, so none is ever without its request."""
        said = {name: value for name, value in asdict(letter).items() if name != "path"}
        _write_durably(letter.path, framed)
        _write_durably(letter.path.with_suffix(".json"), json.dumps(said, indent=2).encode())
        fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _letter(path: Path) -> Letter:
    said: dict[str, Any] = json.loads(path.read_bytes())
    said["signal"] = Signal(said["signal"])
    return Letter(path.with_suffix(".otlp"), **said)


def _write_durably(path: Path, content: bytes) -> None:
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
