"""The file of keys: JSON, readable by its owner alone, replaced as a whole.

Whoever may write into the data folder may make keys: nothing that listens can. Revoked keys stay in it, so
that a file with no key in force shuts the doors instead of opening them.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from sightline_collector.access.key import Key
from sightline_collector.errors import BadConfiguration
from sightline_collector.store.durable import sync
from sightline_collector.wal.folder import OWNERS_ONLY

NAME = "keys.json"
MARK = ".asked"
"""What the name of the file beside it ends with that says: a key was made here. It is never taken away. A
collector makes one in its data folder, too."""
MEND = "mend it, or restore it from a backup; without it no key is in force"


class Keys(BaseModel):
    """All keys there ever were, in the order of their making."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: tuple[Key, ...] = ()

    @field_validator("keys")
    @classmethod
    def _apart(cls, keys: tuple[Key, ...]) -> tuple[Key, ...]:
        if len({key.id for key in keys}) < len(keys):
            raise ValueError("two keys have one id")
        return keys


def read(path: Path) -> Keys:
    """The keys of a file, none when there is no file. Raises BadConfiguration, which quotes nothing of it."""
    try:
        return Keys.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Keys()
    except OSError as e:
        raise BadConfiguration(f"the keys in {path} cannot be read ({e.strerror})", hint=MEND) from None
    except ValidationError as e:
        first = e.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadConfiguration(
            f"the keys in {path} cannot be read ({where} {first['msg']})", hint=MEND
        ) from None


def read_all(path: Path, *, noted: Path | None = None, made: bool = False) -> Keys:
    """The keys of a file, none where none was ever `made`, as is `noted` in another place, too. Raises
    BadConfiguration."""
    found = read(path)
    marks = [place.with_suffix(MARK) for place in dict.fromkeys((path, noted or path))]
    if not found.keys and (made or any(each.exists() for each in marks)):
        raise BadConfiguration(
            f"keys were made here, and {path} is gone or holds none",
            hint="restore it, or make new ones: `sightline key add`; to let everyone in, delete"
            f" {' and '.join(map(str, marks))}",
        )
    return found


def mark(path: Path) -> None:
    """Notes that a key was made: without the file nobody comes in any more. Raises OSError."""
    if not path.with_suffix(MARK).exists():
        path.parent.mkdir(mode=OWNERS_ONLY, parents=True, exist_ok=True)
        path.with_suffix(MARK).touch(mode=0o600)
        _own(path.with_suffix(MARK))


def write(path: Path, keys: Keys) -> None:
    """Replaces the file, durably, and gives it to the owner of its folder: the collector's own user reads
    it, whoever made the key. Raises OSError, having changed nothing."""
    with replacing(path, keys):
        pass


@contextmanager
def replacing(path: Path, keys: Keys) -> Iterator[None]:
    """As `write`, once what is done meanwhile is done: when that raises, nothing is changed."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    _own(new)
    with os.fdopen(fd, "wb") as file:
        file.write(keys.model_dump_json(indent=1).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        yield
        if keys.keys:
            mark(path)
        new.rename(path)
    finally:
        new.unlink(missing_ok=True)
    sync(path.parent)


def _own(path: Path) -> None:
    """Only root can give a file away, and needs to: others' files are readable for the collector or not."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keeps two that change the file at once apart. Raises OSError."""
    path.parent.mkdir(mode=OWNERS_ONLY, parents=True, exist_ok=True)
    fd = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _own(path.with_suffix(".lock"))
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
