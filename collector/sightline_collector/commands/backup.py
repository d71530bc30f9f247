"""`sightline backup` and `sightline restore`: a running collector's data into a folder, and back."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sightline_collector.commands.asking import Collector, NotAnswered, add_url, path_of, told
from sightline_collector.commands.cells import counted
from sightline_collector.commands.program import as_called
from sightline_collector.commands.termination import undone
from sightline_collector.store.url import parse_store_url

if TYPE_CHECKING:
    from sightline_collector.operate.backup import Copied


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare both subcommands."""
    taken = subparsers.add_parser(
        "backup",
        help="copy a running collector's data into a folder",
        description="Copy the embedded store of a running collector, what its log holds, its dead"
        " letters and the hashes of its keys. What was acknowledged before it began is in it. Senders and"
        " readers are not held up.",
    )
    taken.add_argument("folder", type=Path, help="where to: absent or empty")
    add_url(taken)
    taken.set_defaults(run=told(back_up))
    restored = subparsers.add_parser(
        "restore",
        help="make a data folder from a backup",
        description="Make a data folder from a backup, every checksum checked. The first `sightline up` on it"
        " stores what the log had held.",
    )
    restored.add_argument("folder", type=Path, help="the backup")
    restored.add_argument("--store", required=True, help="chdb:FOLDER, which is absent or empty")
    restored.set_defaults(run=told(restore))


def back_up(arguments: argparse.Namespace) -> int:
    """Take a snapshot, copy it, and let it go. Raises NotAnswered, FolderUnusable."""
    from sightline_collector.operate.backup import copy, held, refuse_used

    folder = arguments.folder.absolute()
    refuse_used(folder)
    collector = Collector(arguments.url)
    with undone():
        snapshot = collector.call("POST", "/api/snapshots", {})
        try:
            with held(snapshot):
                copied = copy(snapshot, folder)
        except OSError as e:
            raise _refused(folder, e) from None
        finally:
            with suppress(NotAnswered):  # one that nobody holds is let go by itself
                collector.call("DELETE", path_of("api", "snapshots", snapshot["name"]), {})
    print(f"{folder} holds all that was acknowledged before {snapshot['taken_at']}:")
    _tell(copied)
    if copied.keys:
        print("  with the hashes of the keys: who restores it needs a key, as here")
    print(as_called(f"Restore it: `sightline restore {folder} --store chdb:NEW_FOLDER`"))
    return 0


def restore(arguments: argparse.Namespace) -> int:
    """Restore and say how to start. Raises BadBackup, FolderUnusable, BadConfiguration."""
    from sightline_collector.operate.restore import restore as make

    path = parse_store_url(arguments.store).path
    if path is None:
        raise NotAnswered(
            "a backup of an embedded store is restored into an embedded one", "name it --store chdb:FOLDER"
        )
    try:
        with undone():
            copied = make(arguments.folder.absolute(), path)
    except OSError as e:
        raise _refused(path, e) from None
    print(f"{path} was restored:")
    _tell(copied)
    if copied.keys:
        listed = f"`sightline key list --store chdb:{path}`"
        print(as_called(f"  its keys are those of then: revoke anew what was revoked since ({listed})"))
    print(as_called(f"Start it: `sightline up --store chdb:{path}`"))
    return 0


def _refused(folder: Path, error: OSError) -> NotAnswered:
    where, why = error.filename2 or error.filename or folder, error.strerror or error
    return NotAnswered(f"{folder} cannot be made ({where}: {why})", "look at that disk, and at whose it is")


def _tell(copied: Copied) -> None:
    largest = sorted(copied.rows.items(), key=lambda one: -one[1])
    print("  " + "   ".join(f"{name} {rows:,}" for name, rows in largest if rows and not _derived(name)))
    segments, letters = counted(copied.segments, "segment"), counted(copied.dead_letters, "dead letter")
    print(
        f"  {segments} of the log that the store had not confirmed, {letters}, {counted(copied.keys, 'key')},"
        f" {copied.size_bytes / 1e6:,.1f} MB in all"
    )


def _derived(table: str) -> bool:
    """Made from files at every start: not what a person asks a backup for."""
    return table.startswith(("price", "dialects", "operations", "schema"))
