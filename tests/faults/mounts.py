"""Disks in memory, one for each folder of a collector, and disks that take no writes for a while."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import copytree, rmtree

PLACES: dict[str, tuple[int, int]] = {
    "wal": (16, 100),
    "store": (256, 40_000),  # a mutation links each part's files anew, and the old ones stay for minutes
    "dead-letter": (4, 100),
    "scratch": (4, 100),
}
"""The folders of a data folder: MiB, and names, that the disk of each has."""


class NoMounts(Exception):  # noqa: N818 - it is a reason to skip
    """This user may not mount a disk in memory."""


@contextmanager
def disks(folder: Path) -> Iterator[None]:
    """A small disk of its own under each folder; what was there lies on it. Raises NoMounts."""
    with ExitStack() as mounted:
        for name, (size_mb, names) in PLACES.items():
            place = folder / name
            place.mkdir(parents=True, exist_ok=True)
            held = folder / f"{name}.held"
            place.rename(held)
            place.mkdir()
            mount("-t", "tmpfs", "-o", f"size={size_mb}m,nr_inodes={names}", "sightline-fault", str(place))
            mounted.callback(unmount, place)
            copytree(held, place, symlinks=True, dirs_exist_ok=True)
            rmtree(held)
        yield


@contextmanager
def read_only(place: Path) -> Iterator[None]:
    """A mounted folder that takes no writes, as after `mount -o remount,ro`. Raises NoMounts.

    The kernel does not make a disk read-only on which a file is open for writing. Where one is, as the log's
    lock, all names are read-only instead: only that file could still be written.
    """
    remounted = not _tried("-o", "remount,ro", str(place))
    with _remounted(place) if remounted else names_read_only(place):
        yield


@contextmanager
def names_read_only(place: Path) -> Iterator[None]:
    """Nothing in a folder can be opened for writing, made, renamed or removed; what is open stays so."""
    aside = place.with_suffix(".aside")  # read-only before anybody can open a file by its new names
    aside.mkdir()
    mount("--bind", str(place), str(aside))
    mount("-o", "remount,bind,ro", str(aside))
    mount("--bind", str(aside), str(place))
    unmount(aside)
    aside.rmdir()
    try:
        yield
    finally:
        unmount(place)


@contextmanager
def _remounted(place: Path) -> Iterator[None]:
    try:
        yield
    finally:
        mount("-o", "remount,rw", str(place))


def mount(*arguments: str) -> None:
    """Raises NoMounts."""
    if said := _tried(*arguments):
        raise NoMounts(said)


def unmount(place: Path) -> None:
    """Whatever is open in it stays so until it is closed."""
    subprocess.run(["umount", "--lazy", place], check=True)


def _tried(*arguments: str) -> str:
    """What mount says against it; empty when it was done."""
    ran = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    return (ran.stderr.strip() or f"mount: exit {ran.returncode}") if ran.returncode else ""
