"""The reading of a stream that calls have returned: each step runs inside of them, and they end with it."""

import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

from sightline._safety import shielded
from sightline.providers import recognised

_PLAIN: Final = (str, bytes, int, float, dict, list, tuple)


class Call(Protocol):
    """A call whose answer is a stream. None of its methods raises."""

    @property
    def recording(self) -> bool:
        """Whether anybody will hear of it."""
        ...

    @property
    def asks_model(self) -> bool: ...
    def activate(self) -> None: ...
    def suspend(self) -> None: ...
    def yielded(self, item: object) -> None: ...
    def stopped(self) -> None: ...
    def left(self) -> None: ...
    def failed(self, error: BaseException) -> None: ...


class Reading:
    """Steps of one stream, and the open calls that returned it, the innermost first.

    `owner` is the id of the object whose end is the stream's: a manager's passes to what it is entered for.
    What a stream does inside of a step, with itself, is part of that step.
    """

    __slots__ = ("_calls", "_inside", "owner")

    def __init__(self, call: Call) -> None:
        self._calls = [call]
        self._inside = False
        self.owner = 0

    def also(self, call: Call) -> bool:
        """Have a call around the others end with them; False when they have ended."""
        if self._calls:
            self._calls.append(call)
        return bool(self._calls)

    def read(self, step: Callable[[], Any]) -> Any:
        if not self._begin():
            return step()
        try:
            item = step()
        except StopIteration:
            self._end("stopped")
            raise
        except BaseException as error:
            self._broken(error)
            raise
        self._pause()
        self._note(item)
        return item

    async def aread(self, step: Callable[[], Awaitable[Any]]) -> Any:
        if not self._begin():
            return await step()
        try:
            item = await step()
        except StopAsyncIteration:
            self._end("stopped")
            raise
        except BaseException as error:
            self._broken(error)
            raise
        self._pause()
        self._note(item)
        return item

    def enter(self, step: Callable[[], Any]) -> Any:
        """A step that brings nothing yet: the request is made."""
        with self._stepping():
            return step()

    async def aenter(self, step: Callable[[], Awaitable[Any]]) -> Any:
        with self._stepping():
            return await step()

    @contextmanager
    def _stepping(self) -> Iterator[None]:
        if not self._begin():
            yield
            return
        try:
            yield
        except BaseException as error:
            self._broken(error)
            raise
        self._pause()

    def close(self, step: Callable[[], Any]) -> Any:
        """The last step, of a reader who wants no more; it may be one to wait for."""
        if not self._begin():
            return step()
        try:
            result = step()
        except BaseException as error:
            self._broken(error)
            raise
        if inspect.isawaitable(result):
            self._pause()
            return self._closing(result)
        self.left()
        return result

    async def _closing(self, closed: Awaitable[Any]) -> Any:
        self._begin()
        try:
            return await closed
        finally:
            self.left()

    def left(self) -> None:
        """Nobody reads any more, which is no error; what has ended stays as it is."""
        self._end("left")

    def _begin(self) -> bool:
        if self._inside or not self._calls:
            return False
        self._inside = True
        for call in reversed(self._calls):
            call.activate()
        return True

    def _pause(self) -> None:
        self._inside = False
        for call in self._calls:
            call.suspend()

    def _note(self, item: object) -> None:
        for call in self._calls:
            call.yielded(item if call.asks_model else _told(item))

    def _end(self, how: str) -> None:
        self._inside = False
        calls, self._calls = self._calls, []
        for call in calls:
            getattr(call, how)()

    def _broken(self, error: BaseException) -> None:
        # A cancelled reader has left: its browser is gone, or its loop ends.
        if isinstance(error, GeneratorExit) or type(error).__name__ == "CancelledError":
            self.left()
            return
        self._inside = False
        calls, self._calls = self._calls, []
        for call in calls:
            call.failed(error)


@shielded
def _told(item: object) -> object:
    """What a call that asks no model says of a chunk: its words, where it is a model's."""
    found = None if item is None or isinstance(item, _PLAIN) else recognised(item)
    return item if found is None else "".join(piece.text or "" for piece in found[1])
