"""Which files a stopped call is about, read from the process's memory and its open files."""

from __future__ import annotations

import os
import struct

from faults.ptrace import Call

_PAGE = 4096
_CURRENT_FOLDER = -100

BY_DESCRIPTOR = {
    **dict.fromkeys(("write", "pwrite64", "writev", "pwritev", "pwritev2"), 0),
    **dict.fromkeys(("ftruncate", "fallocate", "sendfile", "fsync", "fdatasync"), 0),
    "copy_file_range": 2,
}
"""Calls about an open file, and which argument is its descriptor."""

BY_NAME: dict[str, tuple[tuple[int | None, int], ...]] = {
    **dict.fromkeys(("open", "creat", "truncate", "unlink", "rmdir", "mkdir", "mknod"), ((None, 0),)),
    **dict.fromkeys(("openat", "unlinkat", "mkdirat", "mknodat"), ((0, 1),)),
    **dict.fromkeys(("rename", "link"), ((None, 0), (None, 1))),
    **dict.fromkeys(("renameat", "renameat2", "linkat"), ((0, 1), (2, 3))),
    "symlink": ((None, 1),),
    "symlinkat": ((1, 2),),
}
"""Calls about names: which argument is the folder that a name begins in, and which the name."""


def files(call: Call, name: str) -> tuple[str, ...]:
    """Absolute paths, in the call's order; what is no file, such as a socket, begins with no slash."""
    if name in BY_DESCRIPTOR:
        return (file_of(call, call.arguments[BY_DESCRIPTOR[name]]),)
    return tuple(_named(call, folder, path) for folder, path in BY_NAME[name])


def file_of(call: Call, descriptor: int) -> str:
    """What is open under a number; empty when nothing is."""
    try:
        return os.readlink(f"/proc/{call.pid}/fd/{_signed(descriptor)}")
    except OSError:
        return ""


def text_at(call: Call, address: int) -> str:
    """The text that ends with the next zero byte."""
    found = b""
    while b"\0" not in found:
        found += memory(call, address + len(found), _PAGE - (address + len(found)) % _PAGE)
    return os.fsdecode(found[: found.index(0)])


def memory(call: Call, address: int, size: int) -> bytes:
    """Bytes of the process. Raises OSError."""
    with open(f"/proc/{call.pid}/mem", "rb", buffering=0) as held:
        return os.pread(held.fileno(), size, address)


def buffers(call: Call, address: int, count: int) -> bytes:
    """What a vector of buffers holds, one after the other."""
    vector = memory(call, address, 16 * count)
    return b"".join(memory(call, at, size) for at, size in struct.iter_unpack("QQ", vector))


def position(call: Call, descriptor: int) -> int:
    """Where the next read or write of an open file happens."""
    with open(f"/proc/{call.pid}/fdinfo/{_signed(descriptor)}") as told:
        return next(int(line.split()[1]) for line in told if line.startswith("pos:"))


def _named(call: Call, folder: int | None, path: int) -> str:
    name = text_at(call, call.arguments[path])
    if name.startswith("/"):
        return os.path.normpath(name)
    descriptor = _CURRENT_FOLDER if folder is None else _signed(call.arguments[folder])
    place = "cwd" if descriptor == _CURRENT_FOLDER else f"fd/{descriptor}"
    return os.path.normpath(os.path.join(os.readlink(f"/proc/{call.pid}/{place}"), name))


def _signed(argument: int) -> int:
    """A C int that came as a register's 64 bits."""
    return (argument & 0xFFFF_FFFF) - ((argument & 0x8000_0000) << 1)
