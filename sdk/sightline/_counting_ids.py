"""Ids of `testing.capture()`: counted from 1, and never the same in two captures that are open together."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace.id_generator import IdGenerator

from sightline._spans import late, twins


class CountingIds(IdGenerator):
    """Trace ids 1, 2, 3, ... and span ids 1, 2, 3, ..."""

    def __init__(self) -> None:
        self._traces = self._spans = 0

    def generate_trace_id(self) -> int:
        self._traces += 1
        return self._traces

    def generate_span_id(self) -> int:
        self._spans += 1
        return self._spans

    @property
    def span_ids(self) -> Iterable[int]:
        """Those that were given out."""
        return range(1, self._spans + 1)


_lock: Final = threading.Lock()
_ids = CountingIds()  # of all captures that are open
_open = 0


@contextmanager
def counting() -> Iterator[CountingIds]:
    """The ids of a capture. One inside of another goes on counting, and its traces are its own."""
    nested = _entered()
    token = otel_context.attach(trace.set_span_in_context(trace.INVALID_SPAN)) if nested else None
    try:
        yield _ids
    finally:
        if token is not None:
            otel_context.detach(token)
        _left()


def _entered() -> bool:
    """Whether another capture is open already."""
    global _ids, _open
    with _lock:
        if not _open:
            _ids = CountingIds()
        _open += 1
        return _open > 1


def _left() -> None:
    """What never ended must not be taken for a span of the next capture, which has the same id."""
    global _open
    with _lock:
        _open -= 1
        if not _open:
            twins.forget(_ids.span_ids)
            late.watchers.forget(_ids.span_ids)
