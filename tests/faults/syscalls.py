"""The calls by which a process changes files: their numbers, and the filter that stops it at them. Pure.

A seccomp filter wakes a tracer at these calls alone, so a traced process runs at nearly its own speed.
"""

from __future__ import annotations

import platform
import struct
from collections.abc import Collection

# Linux' numbers: x86-64, arm64. None where a machine only has the newer call.
NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "write": (1, 64),
    "pwrite64": (18, 68),
    "writev": (20, 66),
    "pwritev": (296, 70),
    "pwritev2": (328, 287),
    "open": (2, None),
    "openat": (257, 56),
    "creat": (85, None),
    "truncate": (76, 45),
    "ftruncate": (77, 46),
    "fallocate": (285, 47),
    "copy_file_range": (326, 285),
    "sendfile": (40, 71),
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "rmdir": (84, None),
    "mknod": (133, None),
    "mknodat": (259, 33),
}

KINDS: dict[str, frozenset[str]] = {
    "write": frozenset({"write", "pwrite64", "writev", "pwritev", "pwritev2"}),
    "open": frozenset({"open", "openat", "creat"}),
    "cut": frozenset({"truncate", "ftruncate"}),
    "fill": frozenset({"fallocate", "copy_file_range", "sendfile"}),
    "sync": frozenset({"fsync", "fdatasync"}),
    "rename": frozenset({"rename", "renameat", "renameat2"}),
    "link": frozenset({"link", "linkat"}),
    "symlink": frozenset({"symlink", "symlinkat"}),
    "unlink": frozenset({"unlink", "unlinkat", "rmdir"}),
    "mkdir": frozenset({"mkdir", "mkdirat"}),
    "pipe": frozenset({"mknod", "mknodat"}),
}
"""What a call does, whatever its name is."""

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_ALLOW, _TRACE = 0x7FFF0000, 0x7FF00000
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4


def is_known_machine() -> bool:
    """Whether the numbers are those of this machine."""
    return platform.system() == "Linux" and platform.machine() in _MACHINES


def names(kinds: Collection[str]) -> dict[int, str]:
    """The calls of some kinds that this machine has, by their numbers."""
    column, _ = _MACHINES[platform.machine()]
    numbered = ((NUMBERS[name][column], name) for kind in kinds for name in KINDS[kind])
    return {number: name for number, name in numbered if number is not None}


def stop_filter(numbers: Collection[int]) -> bytes:
    """A BPF program: a call of these numbers wakes the tracer, any other goes its way."""
    _, architecture = _MACHINES[platform.machine()]
    program = [(_LOAD, 0, 0, _ARCHITECTURE_AT), (_EQUAL, 0, len(numbers) + 1, architecture)]
    program.append((_LOAD, 0, 0, _NUMBER_AT))
    for left, number in zip(range(len(numbers), 0, -1), sorted(numbers), strict=True):
        program.append((_EQUAL, left, 0, number))
    program += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _TRACE)]
    return b"".join(struct.pack("HBBI", *line) for line in program)


def kind_of(name: str) -> str:
    """What the call does."""
    return next(kind for kind, members in KINDS.items() if name in members)
