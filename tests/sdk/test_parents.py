"""Who is whose parent, over yields, threads and tasks."""

import asyncio
import json
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

from sdk.decorated import consumer, leaf, numbers, parent_of

import sightline
from sightline import testing
from sightline.testing import Captured


def test_calls_inside_a_generator_nest_under_it(seen: Captured) -> None:
    """What the generator's body calls, in any of its steps, is its child."""

    @sightline.step
    def stream() -> Generator[int]:
        yield 1
        leaf()
        yield 2

    list(stream())
    assert parent_of(seen, "leaf") == "stream"


def test_the_consumers_calls_do_not_nest_under_the_generator(seen: Captured) -> None:
    """What the reader does between two items belongs to the reader."""

    def read() -> None:
        for _ in numbers(1):
            leaf("between")
            with sightline.stage("mine"):
                pass

    consumer(read)
    assert parent_of(seen, "mine") == "invoke_workflow consumer"
    assert parent_of(seen, "numbers") == "invoke_workflow consumer"


def test_a_suspended_generator_adopts_nothing(seen: Captured) -> None:
    """A generator that waits, half read, is nobody's parent."""
    reader = numbers(2)
    next(reader)
    with sightline.stage("later"):
        pass
    reader.close()
    assert seen.span("later").parent_span_id is None


def test_a_block_around_a_yield_stays_open_over_it(seen: Captured) -> None:
    """A stage that a generator holds open while it is suspended is still its children's parent afterwards."""

    @sightline.step
    def stream() -> Generator[int]:
        with sightline.stage("inner"):
            yield 1
            leaf()

    list(stream())
    assert parent_of(seen, "leaf") == "inner"
    assert parent_of(seen, "inner") == "stream"


def test_a_generator_hangs_where_it_was_called(seen: Captured) -> None:
    """A stream that is read after its maker has returned is still the maker's child, and in its context."""

    @sightline.workflow
    def handler() -> Generator[int, None, str]:
        with sightline.context(user_id="u1"):
            return numbers(1)

    list(handler())
    assert parent_of(seen, "numbers") == "invoke_workflow handler"
    assert seen.span("numbers").attributes["user.id"] == "u1"


def test_a_thread_pool_keeps_the_parent() -> None:
    """Work handed to an executor is the child of the span that handed it over."""
    with testing.capture(instrument_libraries=["threads"]) as seen, ThreadPoolExecutor(2) as pool:
        consumer(lambda: list(pool.map(leaf, ["a", "b"])))
    parents = {span.parent_span_id for span in seen.spans if span.name == "leaf"}
    assert parents == {seen.span("invoke_workflow consumer").span_id}


def test_gathered_tasks_are_kept_apart(seen: Captured) -> None:
    """Concurrent siblings have the same parent and never each other."""

    @sightline.step
    async def branch(number: int) -> None:
        await asyncio.sleep(0)
        leaf(str(number))

    @sightline.workflow
    async def main() -> None:
        await asyncio.gather(*(branch(number) for number in range(3)))

    asyncio.run(main())
    root = seen.span("invoke_workflow main")
    branches = {span.span_id: span for span in seen.spans if span.name == "branch"}
    assert {span.parent_span_id for span in branches.values()} == {root.span_id}
    for span in seen.spans:
        if span.name == "leaf":
            mine = branches[span.parent_span_id or ""].attributes["sightline.input"]
            assert json.loads(span.attributes["sightline.input"])["label"] == str(json.loads(mine)["number"])
