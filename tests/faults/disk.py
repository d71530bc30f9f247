"""A disk that loses what was not synced: changes are replayed on it, then its power is cut.

What POSIX promises, and no more: an fsync of a file makes its bytes and its length durable, not its name; an
fsync of a folder makes the names in it durable, not what lies behind them. A folder is found as it was after
one of its changes since its last sync: a rename within it is all or nothing.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path, PurePath
from random import Random

from faults.change import Change

PAGE = 4096


class Loss(Enum):
    """What becomes of changes that were not synced."""

    ALL = "all that was not synced is gone, names and bytes"
    BYTES = "every name is there, as a journal keeps them; bytes that were not synced are gone"
    SOME = "each folder is as after one of its changes, each page of a file old or new"


@dataclass(slots=True)
class File:
    """A file's bytes; `synced` is None until its first sync. `last_sync`: of those ended the last begun."""

    now: bytearray = field(default_factory=bytearray)
    synced: bytes | None = None
    last_sync: int = 0


@dataclass(slots=True)
class Symlink:
    """A name that stands for another."""

    says: str


class Pipe:
    """A name under which two processes meet: it holds nothing."""


@dataclass(slots=True)
class Folder:
    """Names. `past` is how they were, from the last sync on; `last_sync` as of a file."""

    now: dict[str, Node] = field(default_factory=dict)
    past: list[dict[str, Node]] = field(default_factory=lambda: [{}])
    last_sync: int = 0


Node = File | Symlink | Pipe | Folder


class Disk:
    """One folder of a disk, with everything below it."""

    def __init__(self, path: Path) -> None:
        """As it is on the real disk, all of it synced; empty when it is not there."""
        self.path = path
        self.root = _read(path) if path.exists() else Folder()
        self._syncing: dict[int, bytes | dict[str, Node]] = {}
        self._synced_nodes: dict[int, Node] = {}

    def apply(self, change: Change) -> None:
        """Replay one change. Raises KeyError when it does not fit what came before."""
        match change.kind:
            case "sync-begin":
                node = self._at(change.path)
                if isinstance(node, File | Folder):
                    self._synced_nodes[change.offset] = node
                    copied = bytes(node.now) if isinstance(node, File) else dict(node.now)
                    self._syncing[change.offset] = copied
            case "sync-end":
                self._end_sync(change.offset)
            case "make" | "write" | "cut" | "content":
                self._change_file(change)
            case "rename":
                self._rename(change)
            case "exchange":
                (one, a), (two, b) = self._place(change.path), self._place(change.other)
                one.now[a], two.now[b] = two.now[b], one.now[a]
                _changed(one, two)
            case "link":
                self._put(change.other, self._at(change.path))
            case "symlink":
                self._put(change.path, Symlink(change.other))
            case "pipe":
                self._put(change.path, Pipe())
            case "mkdir" if PurePath(change.path) != self.path:
                self._put(change.path, Folder())
            case "unlink":
                folder, name = self._place(change.path)
                del folder.now[name]
                _changed(folder)

    def cut_power(self, target: Path, loss: Loss, random: Random) -> None:
        """Write what is left into an empty folder."""
        _leave(self.root, target, loss, random)

    def _end_sync(self, number: int) -> None:
        node, copied = self._synced_nodes.pop(number), self._syncing.pop(number)
        assert isinstance(node, File | Folder)
        if number < node.last_sync:
            return  # one that began later has ended: what that one made durable stays so
        node.last_sync = number
        if isinstance(node, File):
            assert isinstance(copied, bytes)
            node.synced = copied
        else:
            assert isinstance(copied, dict)
            node.past = [copied, *_since(copied, node.past)]

    def _change_file(self, change: Change) -> None:
        file = self._file(change.path, made=change.kind == "make")
        if change.kind == "make":
            del file.now[0 if change.offset else len(file.now) :]
        elif change.kind == "content":
            file.now[:] = change.data
        else:
            end = change.offset
            if len(file.now) < end:
                file.now.extend(bytes(end - len(file.now)))
            if change.kind == "cut":
                del file.now[end:]
            else:
                file.now[end : end + len(change.data)] = change.data

    def _file(self, path: str, *, made: bool) -> File:
        folder, name = self._place(path)
        if made and name not in folder.now:
            self._put(path, File())
        node = folder.now[name]
        if isinstance(node, Symlink):
            return self._file(os.path.join(os.path.dirname(path), node.says), made=made)
        assert isinstance(node, File)
        return node

    def _at(self, path: str) -> Node:
        if PurePath(path) == self.path:
            return self.root
        folder, name = self._place(path)
        return folder.now[name]

    def _place(self, path: str) -> tuple[Folder, str]:
        """The folder that a name lies in; links on the way are followed."""
        *way, name = PurePath(os.path.normpath(path)).relative_to(self.path).parts
        folder, at = self.root, self.path
        for part in way:
            found = folder.now[part]
            if isinstance(found, Symlink):
                target = os.path.normpath(at / found.says)
                found = self._at(target)
            assert isinstance(found, Folder)
            folder, at = found, at / part
        return folder, name

    def _put(self, path: str, node: Node) -> None:
        folder, name = self._place(path)
        folder.now[name] = node
        _changed(folder)

    def _rename(self, change: Change) -> None:
        (one, old), (two, new) = self._place(change.path), self._place(change.other)
        two.now[new] = one.now.pop(old)
        _changed(one, two)


def _since(synced: dict[str, Node], past: list[dict[str, Node]]) -> list[dict[str, Node]]:
    """The states of a folder that came after the one that was synced: the last that has the same files."""
    same = [
        number
        for number, state in enumerate(past)
        if state.keys() == synced.keys() and all(state[name] is node for name, node in synced.items())
    ]
    return past[same[-1] + 1 :] if same else past


def _changed(one: Folder, other: Folder | None = None) -> None:
    """Note what is in the folders now: once for one in which two names have changed at once."""
    one.past.append(dict(one.now))
    if other and other is not one:
        other.past.append(dict(other.now))


def _read(path: Path) -> Folder:
    folder = Folder()
    for entry in os.scandir(path):
        if entry.is_symlink():
            folder.now[entry.name] = Symlink(os.readlink(entry.path))
        elif entry.is_dir():
            folder.now[entry.name] = _read(Path(entry.path))
        elif stat.S_ISFIFO(entry.stat().st_mode):
            folder.now[entry.name] = Pipe()
        else:
            content = Path(entry.path).read_bytes()
            folder.now[entry.name] = File(bytearray(content), content)
    folder.past = [dict(folder.now)]
    return folder


def _leave(folder: Folder, target: Path, loss: Loss, random: Random) -> None:
    target.mkdir()
    names = folder.past[0]
    if loss is Loss.BYTES:
        names = folder.now
    elif loss is Loss.SOME:
        names = random.choice(folder.past)
    for name, node in names.items():
        place = target / name
        if isinstance(node, Folder):
            _leave(node, place, loss, random)
        elif isinstance(node, Symlink):
            place.symlink_to(node.says)
        elif isinstance(node, Pipe):
            os.mkfifo(place)
        else:
            place.write_bytes(_left_of(node, loss, random))


def _left_of(file: File, loss: Loss, random: Random) -> bytes:
    old = file.synced or b""
    if loss is not Loss.SOME or old == file.now:
        return old
    least, most = sorted((len(old), len(file.now)))
    size = random.choice((least, most, random.randint(least, most)))
    versions = [content.ljust(size, b"\0") for content in (bytes(file.now), old)]
    return b"".join(random.choice(versions)[at : min(at + PAGE, size)] for at in range(0, size, PAGE))
