"""A place that is held for a call whose client begins its span only after the question.

asked ──► held ──► the span starts, and has the place ──► it ends, and is counted
            └────► the client returns or raises without a span: given back
"""

from contextvars import ContextVar, Token
from itertools import count
from typing import Any, Final

from sightline._safety import shielded
from sightline.budget._spend import Spending

_ids: Final = count(-1, -1)  # no span has a negative id


class Place:
    """Held while it is entered, for a call made around the span of this id; a span takes it over."""

    __slots__ = ("_free", "_spending", "_token", "around", "entered", "id")

    def __init__(self, spending: Spending, around: int) -> None:
        self.id, self.around = next(_ids), around
        self._spending, self._free, self.entered = spending, True, False
        self._token: Token[Place | None] | None = None

    def __enter__(self) -> None:
        self._token, self.entered = _held.set(self), True

    def __exit__(self, *_: object) -> None:
        self.entered = False  # a thread that was started inside still has it
        self._give_back()

    def take(self, span_id: int) -> None:
        """From now on the place is that of this span, until it ends; the first one has it."""
        if self._free:
            self._free = False
            self._spending.pass_on(self.id, span_id)

    @shielded
    def _give_back(self) -> None:
        if self._free:
            self._free = False
            self._spending.give_back(self.id)
        if self._token is not None:
            try:
                _held.reset(self._token)
            except ValueError:
                return  # a coroutine that was closed elsewhere; its own context is gone


_held: ContextVar[Place | None] = ContextVar("sightline_held_place", default=None)


def held(around: int) -> bool:
    """Whether a client that is at work around the same span has asked for this very call already."""
    place = _held.get()
    return place is not None and place.entered and place.around == around


def started(span: Any) -> None:
    """A span that may be a model call has started: is it the one that a place is held for?"""
    place = _held.get()
    if place is None:
        return
    from sightline._spans.attributes import attributes_of
    from sightline._spans.twins import may_be_call

    if may_be_call(span, attributes_of(span)):
        place.take(span.context.span_id)
