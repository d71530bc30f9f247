"""How streams can end: read to their end, broken off, dropped, failed."""

import asyncio
import gc
import weakref
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from typing import Any

import pytest
from sdk.decorated import anumbers, broken_numbers, leaf, numbers, parent_of

import sightline
from sightline import testing
from sightline.testing import Captured


def test_a_generator_read_to_its_end(seen: Captured) -> None:
    """The span covers the reading, holds what was yielded, and the generator's return value passes."""

    def read() -> Generator[int, None, str]:
        return (yield from numbers(3))

    reader = read()
    assert [next(reader) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(StopIteration, match="over"):
        next(reader)
    span = seen.span("numbers")
    assert (span.status, span.attributes["sightline.output"]) == ("unset", "[0,1,2]")
    assert span.attributes["sightline.input"] == '{"count":3}'


def test_a_generator_broken_off_and_closed_is_no_error(seen: Captured) -> None:
    """Stopping early ends the span with what was yielded so far, and lets the generator clean up."""
    cleaned = []

    @sightline.step
    def stream() -> Generator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            cleaned.append(leaf())

    reader = stream()
    assert next(reader) == "a"
    reader.close()
    span = seen.span("stream")
    assert (span.status, span.attributes["sightline.output"], cleaned) == ("unset", '"a"', ["leaf"])
    assert parent_of(seen, "leaf") == "stream"


def test_a_generator_that_is_dropped_is_no_error(seen: Captured) -> None:
    """A reader that walks away ends the span all the same."""
    reader = numbers(3)
    assert next(reader) == 0
    del reader
    gc.collect()
    assert seen.span("numbers").status == "unset"


def test_a_generator_that_was_never_read_leaves_no_span(seen: Captured) -> None:
    """No work, no span."""
    numbers(3)
    gc.collect()
    assert seen.spans == []


def test_a_generator_that_fails_is_an_error(seen: Captured) -> None:
    """The reader gets the exception, the span is marked with it."""
    with pytest.raises(ValueError, match="no more"):
        list(broken_numbers())
    (span,) = seen.spans
    assert (span.status, span.attributes["sightline.output"]) == ("error", "[1]")


def test_a_generator_takes_what_is_sent_and_thrown(seen: Captured) -> None:
    """`send` and `throw` reach the decorated generator as they would reach the bare one."""

    @sightline.step
    def echo() -> Generator[Any, Any, None]:
        heard: Any = None
        while heard != "stop":
            try:
                heard = yield heard
            except KeyError as error:
                heard = f"caught {error}"

    reader = echo()
    assert next(reader) is None
    assert reader.send("hi") == "hi"
    assert reader.throw(KeyError("k")) == "caught 'k'"
    with pytest.raises(StopIteration):
        reader.send("stop")
    assert seen.span("echo").status == "unset"


def test_an_async_generator_read_to_its_end(seen: Captured) -> None:
    """The same for asynchronous generators."""

    async def main() -> list[int]:
        return [number async for number in anumbers(3)]

    assert asyncio.run(main()) == [0, 1, 2]
    assert seen.span("anumbers").attributes["sightline.output"] == "[0,1,2]"
    assert parent_of(seen, "leaf") == "anumbers"


def test_an_async_generator_that_is_closed_is_no_error(seen: Captured) -> None:
    """`aclose` ends the span with what was yielded so far."""

    async def main() -> None:
        async with aclosing(anumbers(3)) as reader:
            async for _ in reader:
                break

    asyncio.run(main())
    span = seen.span("anumbers")
    assert (span.status, span.attributes["sightline.output"]) == ("unset", "[0]")


def test_an_async_generator_that_is_abandoned_is_no_error(seen: Captured) -> None:
    """A reader that walks away without closing ends the span too, at the latest with the loop."""

    async def main() -> None:
        async for _ in anumbers(3):
            break

    asyncio.run(main())
    assert seen.span("anumbers").status == "unset"


def test_a_reader_whose_task_is_cancelled_is_no_error(seen: Captured) -> None:
    """A browser that leaves in the middle of a stream cancels whoever waits for the next word."""

    @sightline.agent
    async def slow() -> AsyncGenerator[str]:
        yield "word"
        await asyncio.Event().wait()

    async def main() -> None:
        first = asyncio.Event()

        async def read() -> None:
            async for _ in slow():
                first.set()

        reader = asyncio.create_task(read())
        await first.wait()
        await asyncio.sleep(0)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader

    asyncio.run(main())
    span = seen.span("invoke_agent slow")
    assert (span.status, span.attributes["sightline.output"]) == ("unset", '"word"')


def test_an_async_generator_that_fails_is_an_error(seen: Captured) -> None:
    """The reader gets the exception, the span is marked with it."""

    @sightline.step
    async def failing() -> AsyncGenerator[int]:
        yield 1
        raise OSError("gone")

    async def main() -> None:
        async for _ in failing():
            pass

    with pytest.raises(OSError, match="gone"):
        asyncio.run(main())
    assert seen.span("failing").status == "error"


def step_by_step_elsewhere(stream: Generator[Any]) -> None:
    """Read a generator as Starlette does: each step in a thread, with a copy of the reader's context."""

    async def read() -> None:
        while await asyncio.to_thread(next, stream, None) is not None:
            pass

    asyncio.run(read())


@pytest.mark.parametrize("inside", ["call", "context", "prompt", "stage"])
def test_what_a_generator_leaves_in_another_thread_is_left(
    seen: Captured, caplog: pytest.LogCaptureFixture, inside: str
) -> None:
    """A block that begins in one step and ends in another, elsewhere, is over for what follows it."""
    block: Any = {
        "call": lambda: sightline.llm_call(provider="acme", model="tiny"),
        "context": lambda: sightline.context(user_id="ann"),
        "prompt": lambda: sightline.prompt("greet", "Hello", "1"),
        "stage": lambda: sightline.stage("thinking"),
    }[inside]

    @sightline.workflow
    def answer() -> Generator[int]:
        with block():
            yield 1
            yield 2
        leaf()
        yield 3

    step_by_step_elsewhere(answer())
    assert parent_of(seen, "leaf") == "invoke_workflow answer"
    assert {"user.id", "gen_ai.prompt.name"}.isdisjoint(seen.span("leaf").attributes)
    assert caplog.records == []


def test_a_bare_generator_leaves_another_threads_context_alone(
    seen: Captured, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a block's own context is not current, its end changes nothing."""

    def bare() -> Generator[int]:
        with sightline.context(user_id="ann"):
            yield 1
            yield 2

    stream = bare()
    asyncio.run(asyncio.to_thread(next, stream))
    with sightline.stage("other"):
        assert list(stream) == [2]
        leaf()
    assert parent_of(seen, "leaf") == "other"
    assert "user.id" not in seen.span("leaf").attributes
    assert caplog.records == []


def test_a_stream_that_is_too_long_says_what_was_cut(seen: Captured) -> None:
    """Of texts and of things the beginning is kept, and the span says how much followed."""

    @sightline.step
    def texts() -> Generator[str]:
        yield from ["x" * 1_000] * 1_000

    @sightline.step
    def things() -> Generator[int]:
        yield from [7] * 1_005

    @sightline.step
    def tokens() -> Generator[str]:
        yield from ["x"] * 5_000

    for stream in (texts, things, tokens):
        list(stream())
    text = seen.span("texts").attributes["sightline.output"]
    kept = text.count("x")
    assert text == f'"{"x" * kept}<cut {1_000_000 - kept}>"'
    assert kept > 32_000
    assert seen.span("things").attributes["sightline.output"].endswith(',7,"<cut 5>"]')
    assert seen.span("tokens").attributes["sightline.output"] == f'"{"x" * 5_000}"'


@pytest.mark.parametrize("capture", [True, False])
def test_a_stream_holds_on_to_nothing_that_nobody_wants(capture: bool) -> None:
    """With content off, or `capture=False`, what was yielded goes when the program lets it go."""

    class Frame:
        pass

    @sightline.step(capture=capture)
    def frames() -> Generator[Frame]:
        while True:
            yield Frame()

    with testing.capture(content="off" if capture else "full"):
        stream = frames()
        gone = weakref.ref(next(stream))
        next(stream)
        gc.collect()
        assert gone() is None
        stream.close()


def test_the_beginning_of_a_stream_is_not_judged_as_the_whole(
    seen: Captured, caplog: pytest.LogCaptureFixture
) -> None:
    """Evaluators get all that was yielded or are not asked, which the log says."""
    judged = []

    @sightline.evaluator(run="inline")
    def length(output: str) -> float:
        judged.append(len(output))
        return 1.0

    @sightline.agent(evaluators=[length])
    def talk(count: int) -> Generator[str]:
        yield from ["x" * 1_000] * count

    list(talk(400))
    list(talk(1_000))
    assert judged == [400_000]
    assert ["is not evaluated" in record.message for record in caplog.records] == [True]


def test_a_thing_that_does_not_tell_its_size_is_kept(seen: Captured) -> None:
    """What fails when it is measured is yielded and recorded like anything else."""

    class Shy:
        def __sizeof__(self) -> int:
            raise RuntimeError("no")

    @sightline.step
    def shy() -> Generator[Shy]:
        yield Shy()

    assert len(list(shy())) == 1
    assert "Shy" in seen.span("shy").attributes["sightline.output"]
