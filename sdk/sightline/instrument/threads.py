"""Work handed to a thread pool keeps its parent span and its `context()`.

Python's executors start each task with whatever context their thread has; `asyncio.to_thread` and tasks
carry it by themselves. Only OpenTelemetry's context is carried over, no other context variable.
"""

import functools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from sightline._spans.leaving import leave
from sightline.instrument import Undo, Wiring


def add(wiring: Wiring) -> Undo:
    """Patch `ThreadPoolExecutor.submit`, through which `map` and `run_in_executor` go too."""
    original: Any = ThreadPoolExecutor.submit

    @functools.wraps(original)
    def submit(
        pool: ThreadPoolExecutor, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> "Future[Any]":
        future: Future[Any] = original(pool, _within, otel_context.get_current(), function, *args, **kwargs)
        return future

    ThreadPoolExecutor.submit = submit  # type: ignore[assignment, method-assign]

    def undo() -> None:
        if ThreadPoolExecutor.submit is submit:
            ThreadPoolExecutor.submit = original  # type: ignore[method-assign]

    return undo


def _within(context: Context, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    token = otel_context.attach(context)
    try:
        return function(*args, **kwargs)
    finally:
        leave(token, context)
