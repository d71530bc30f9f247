"""Ends that have to be asked for: of an invocation that is frozen afterwards, of a terminated program."""

import _thread
import functools
import inspect
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, ParamSpec, TypeVar, overload

from sightline import _safety
from sightline._configure import flush, settled, shutdown

P = ParamSpec("P")
R = TypeVar("R")

INVOCATION_S: Final = 2.0  # of an invocation that is paid by its duration
TERMINATION_S: Final = 8.0  # longer than `_pipeline.STOP_S`; orchestrators wait 10 s and more


@overload
def flushed(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def flushed(*, timeout_s: float = INVOCATION_S) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def flushed(function: Any = None, /, *, timeout_s: float = INVOCATION_S) -> Any:
    """Send everything before the function returns, as serverless platforms freeze a process afterwards.

    For the handler of an invocation, a function or a coroutine function, outside of all other decorators.
    What takes longer than `timeout_s` goes on in the next invocation.
    """
    if function is None:
        return functools.partial(_flushed, timeout_s=timeout_s)
    return _flushed(function, timeout_s)


def _flushed(function: Callable[..., Any], timeout_s: float) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            try:
                return await function(*args, **kwargs)
            finally:
                from asyncio import to_thread  # it is there by now, and costs 15 ms to those who need none

                await to_thread(flush, timeout_s)

        return awaited

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        finally:
            flush(timeout_s)

    return called


def flush_on_signals(*signals: signal.Signals) -> None:
    """Send what is there when one of these signals comes (SIGTERM if none is named), then go on as before.

    Python runs no exit functions when a signal ends it, so that the last second would be lost. A handler of
    the program's own is called afterwards; an ignored signal stays ignored. Call it from the main thread,
    which is where Python handles signals; from another one a warning is logged and nothing changes.
    """
    for number in signals or (signal.SIGTERM,):
        try:
            previous = signal.getsignal(number)
            if previous is None:
                _safety.log.warning("%s is not handled by Python: Sightline leaves it alone", number.name)
            elif previous is not signal.SIG_IGN and not isinstance(previous, _Flushing):
                signal.signal(number, _Flushing(previous))
        except (ValueError, OSError) as error:
            _safety.log.warning("Sightline cannot handle %s: %s", number.name, error)


class _Flushing:
    """A handler before another one."""

    def __init__(self, previous: Any) -> None:
        self._previous = previous

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if callable(self._previous):
            _aside(flush)
            self._previous(number, frame)
            return
        _aside(shutdown)
        signal.signal(number, signal.SIG_DFL)
        if settled.is_set():
            os.kill(os.getpid(), number)
        else:  # the thread that was interrupted is at it, or holds what it takes: it must go on
            _aside(functools.partial(_end_later, number), waits=False)


def _end_later(number: int) -> None:
    settled.wait(TERMINATION_S)
    os.kill(os.getpid(), number)


def _aside(work: Callable[[], object], *, waits: bool = True) -> None:
    """In a thread of its own: the one that was interrupted may hold a lock that this needs.

    Also one of `threading`, so that neither the start of the thread nor the wait may go through there.
    """
    done = _thread.allocate_lock()
    done.acquire()

    def run() -> None:
        _safety.shielded(work)()
        done.release()

    try:
        _thread.start_new_thread(run, ())
    except RuntimeError:
        return  # the interpreter is going down already, and sends by itself
    if waits:
        done.acquire(timeout=TERMINATION_S)
