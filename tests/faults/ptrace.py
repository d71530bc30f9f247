"""As much of Linux' ptrace as it takes to watch a program's calls and to stop it at one. No packages.

::

    this process ──fork──▶ tracer: seizes its parent, follows its threads and children
         │  waits, filters its own calls, becomes the program
         ▼
    the program, under the process number that its starter knows
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

_CONT, _SYSCALL, _SEIZE, _LISTEN, _CALL_INFO = 7, 24, 0x4206, 0x4208, 0x420E
_FORK, _VFORK, _CLONE, _EXEC, _SECCOMP, _STOP = 1, 2, 3, 4, 7, 128
_OPTIONS = 1 | sum(1 << event for event in (_FORK, _VFORK, _CLONE, _EXEC, _SECCOMP)) | 1 << 20
_ALL_CHILDREN = 0x40000000
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER, _SET_TRACER = 38, 22, 2, 0x59616D61
_ANYBODY = ctypes.c_ulong(-1)
_CALL_STOP = signal.SIGTRAP | 0x80
_INFO_BYTES = 88
UNTRACEABLE = 97
"""Exit status of a program that may not be traced here."""

_libc = ctypes.CDLL(None, use_errno=True)


class Then(Enum):
    """What a watcher wants after it saw a call begin."""

    GO_ON = "go on"
    TELL_THE_END = "tell the end"
    KILL = "kill"


@dataclass(slots=True)
class Call:
    """A call that a thread of process `pid` has begun; `result` once it has ended, negative for an error."""

    pid: int
    thread: int
    number: int
    arguments: tuple[int, ...]
    result: int | None = None


Watch = Callable[[Call], Then]
"""Told of a call when it begins, and again at its end if it asks for it."""


def run_traced(command: Sequence[str], program: bytes, watch: Callable[[], Watch]) -> None:
    """Become `command`, watched by a process made for it. Exits with UNTRACEABLE when that cannot be."""
    ready, tell = os.pipe()
    traced = os.getpid()
    _libc.prctl(_SET_TRACER, _ANYBODY, 0, 0, 0)
    if (between := os.fork()) == 0:
        if os.fork() == 0:
            _trace(traced, tell, watch)
        os._exit(0)
    os.waitpid(between, 0)
    os.close(tell)
    if os.read(ready, 1) != b"+":
        os.write(2, b"this machine does not let a process be traced\n")
        os._exit(UNTRACEABLE)
    os.close(ready)
    _filter(program)
    os.execv(command[0], list(command))  # noqa: S606 - no shell is wanted


def _filter(program: bytes) -> None:
    code = ctypes.create_string_buffer(program)
    given = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code)))
    refused = _libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or _libc.prctl(_SET_SECCOMP, _FILTER, given, 0, 0)
    if refused:
        os.write(2, b"this machine does not let a process filter its calls\n")
        os._exit(UNTRACEABLE)


def _trace(traced: int, tell: int, watch: Callable[[], Watch]) -> None:
    """The tracer's life: it ends with what it traces, and what it traces ends with it."""
    try:
        told = watch()
        _ask(_SEIZE, traced, _OPTIONS)
        os.write(tell, b"+")
        os.close(tell)
        _follow(told)
    finally:
        os._exit(0)


def _ask(request: int, thread: int, data: int | ctypes.Array[ctypes.c_char] = 0, address: int = 0) -> int:
    """Raises OSError: with ESRCH the thread has died meanwhile."""
    value = ctypes.c_void_p(data) if isinstance(data, int) else data
    answer = int(_libc.ptrace(ctypes.c_long(request), ctypes.c_int(thread), ctypes.c_void_p(address), value))
    if answer < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x}")
    return answer


def _follow(watch: Watch) -> None:
    begun: dict[int, Call] = {}
    while True:
        try:
            thread, status = os.waitpid(-1, _ALL_CHILDREN)
        except ChildProcessError:
            return
        if os.WIFSTOPPED(status):
            try:
                _stopped(thread, status, begun, watch)
            except ProcessLookupError:
                begun.pop(thread, None)


def _stopped(thread: int, status: int, begun: dict[int, Call], watch: Watch) -> None:
    by, event = os.WSTOPSIG(status), status >> 16
    if event == _SECCOMP:
        call = _begun(thread)
        wanted = watch(call)
        if wanted is Then.TELL_THE_END:
            begun[thread] = call
        _go_on(thread, call, wanted)
    elif by == _CALL_STOP:
        call = begun.pop(thread)
        call.result = _result(thread)
        _go_on(thread, call, watch(call))
    elif event == _STOP and by != signal.SIGTRAP:
        _ask(_LISTEN, thread)
    else:
        _ask(_CONT, thread, 0 if event else by)


def _go_on(thread: int, call: Call, wanted: Then) -> None:
    if wanted is Then.KILL:
        os.kill(call.pid, signal.SIGKILL)
    else:
        _ask(_SYSCALL if wanted is Then.TELL_THE_END and call.result is None else _CONT, thread)


def _begun(thread: int) -> Call:
    _, number, *arguments = struct.unpack_from("24s7Q", _info(thread))
    return Call(_process_of(thread), thread, number, tuple(arguments))


def _result(thread: int) -> int:
    return int(struct.unpack_from("24xq", _info(thread))[0])


def _info(thread: int) -> bytes:
    info = ctypes.create_string_buffer(_INFO_BYTES)
    _ask(_CALL_INFO, thread, info, _INFO_BYTES)
    return info.raw


_processes: dict[int, int] = {}


def _process_of(thread: int) -> int:
    """The process that a thread belongs to. Numbers of threads are not used again while a test runs."""
    if thread not in _processes:
        with open(f"/proc/{thread}/status") as said:
            _processes[thread] = next(int(line.split()[1]) for line in said if line.startswith("Tgid:"))
    return _processes[thread]
