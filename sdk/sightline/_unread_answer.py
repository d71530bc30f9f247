"""The stream that an open model call was given to read, as its reading sees it."""

from collections.abc import Callable
from typing import Final

from sightline import _clock
from sightline._answer import Answer
from sightline._safety import shielded
from sightline._spans.open import OpenSpan


class UnreadAnswer:
    """Inside of the call's block that is in charge of the span; after it, the stream is."""

    asks_model: Final = True

    def __init__(self, opened: OpenSpan, answer: Answer, end: Callable[[BaseException | None], None]) -> None:
        self._open, self._answer, self._end = opened, answer, end
        self._in_block, self._over = True, False

    @property
    def recording(self) -> bool:
        return self._open.recording

    def outlives_block(self) -> bool:
        """Called at the end of the block: whether the call goes on until the stream's end."""
        self._in_block = False
        return not self._over

    def activate(self) -> None:
        if not self._in_block:
            self._open.activate()

    def suspend(self) -> None:
        if not self._in_block:
            self._open.suspend()

    @shielded
    def yielded(self, item: object) -> None:
        self._answer.chunk(item, _clock.elapsed_ns())

    def stopped(self) -> None:
        self._is_over(None)

    def left(self) -> None:
        self._is_over(None)

    def failed(self, error: BaseException) -> None:
        """Inside of the block its own end follows, and knows whether the program minds."""
        self._is_over(error)

    def _is_over(self, error: BaseException | None) -> None:
        if not self._over and not self._in_block:
            self._end(error)
        self._over = True
