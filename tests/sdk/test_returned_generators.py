"""Functions that return a generator which nobody has read yet."""

import asyncio
import inspect
import itertools
from collections.abc import AsyncGenerator, Generator, Iterator
from typing import Any

import pytest

import sightline
from sightline.testing import Captured


def test_a_returned_generator_runs_inside_of_its_call(seen: Captured) -> None:
    """It is a generator to all who ask, takes what is sent to it, and ends its call with itself."""

    @sightline.step
    def echo() -> Generator[Any, Any, str]:
        def inside() -> Generator[Any, Any, str]:
            with sightline.stage("retrieval"):
                pass
            heard = yield 1
            return f"over {heard}"

        return inside()

    stream = echo()
    assert (inspect.isgenerator(stream), next(stream), seen.spans[-1].name) == (True, 1, "retrieval")
    with pytest.raises(StopIteration, match="over 2"):
        stream.send(2)
    assert seen.span("echo").attributes["sightline.output"] == "[1]"
    assert seen.span("retrieval").parent_span_id == seen.span("echo").span_id


def test_a_returned_asynchronous_generator_runs_inside_of_its_call(seen: Captured) -> None:
    """The same; `aclose` closes it, and ends its call."""
    cleaned = []

    @sightline.step
    def numbers() -> AsyncGenerator[int]:
        async def inside() -> AsyncGenerator[int]:
            try:
                for number in itertools.count():
                    yield number
            finally:
                cleaned.append(True)

        return inside()

    async def main() -> None:
        stream = numbers()
        assert inspect.isasyncgen(stream)
        assert [await anext(stream), await anext(stream)] == [0, 1]
        await stream.aclose()

    asyncio.run(main())
    assert cleaned == [True]
    assert seen.span("numbers").attributes["sightline.output"] == "[0,1]"


def test_dropping_what_was_handed_out_closes_nothing_of_somebody_elses(seen: Captured) -> None:
    """A function may return a generator that the program goes on with."""
    shared = iter(number for number in range(3))

    @sightline.step
    def source() -> Iterator[int]:
        return shared

    assert [next(source()), next(source()), next(shared)] == [0, 1, 2]
    assert [span.attributes["sightline.output"] for span in seen.spans] == ["[0]", "[1]"]
