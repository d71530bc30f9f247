"""Decorated functions that several tests share, and who is whose parent."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import sightline
from sightline.testing import Captured


def parent_of(seen: Captured, name: str) -> str | None:
    """The name of a span's parent."""
    by_id = {span.span_id: span.name for span in seen.spans}
    return by_id.get(seen.span(name).parent_span_id or "")


@sightline.step
def leaf(label: str = "leaf") -> str:
    return label


@sightline.step
def numbers(count: int) -> Generator[int, None, str]:
    leaf()
    yield from range(count)
    return "over"


@sightline.step
def broken_numbers() -> Generator[int]:
    yield 1
    raise ValueError("no more")


@sightline.step
async def anumbers(count: int) -> AsyncGenerator[int]:
    leaf()
    for number in range(count):
        await asyncio.sleep(0)
        yield number


@sightline.workflow
def consumer(work: Callable[[], Any]) -> Any:
    return work()
