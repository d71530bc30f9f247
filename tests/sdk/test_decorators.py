"""Decorated functions of every kind, and every way in which they can end."""

import asyncio
import gc
import inspect
import json
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import pytest

import sightline
from sightline import testing
from sightline.testing import Captured, CapturedSpan


@pytest.fixture
def seen() -> Iterator[Captured]:
    with testing.capture(clock=testing.FixedClock()) as captured:
        yield captured


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


# -- whole spans -----------------------------------------------------------------------------------


def test_a_tool_call_is_one_whole_span(seen: Captured) -> None:
    """A decorated function leaves its names, its times, its arguments and its result, and nothing else."""

    @sightline.tool(name="search")
    def find(query: str, /, limit: int = 3, **more: Any) -> list[str]:
        return [query] * limit

    assert find("a", limit=2, fast=True) == ["a", "a"]
    assert seen.spans == [
        CapturedSpan(
            name="execute_tool search",
            kind="internal",
            trace_id=f"{1:032x}",
            span_id=f"{1:016x}",
            parent_span_id=None,
            start_ns=1767225600_000_000_000,
            end_ns=1767225600_001_000_000,
            status="unset",
            status_message=None,
            attributes={
                "sightline.operation": "tool",
                "sightline.stage": "tool_execution",
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "search",
                "gen_ai.tool.call.arguments": '{"query":"a","limit":2,"fast":true}',
                "gen_ai.tool.call.result": '["a","a"]',
            },
            events=[],
        )
    ]


@pytest.mark.parametrize(
    ("decorator", "name", "expected"),
    [
        ("workflow", "invoke_workflow work", {"gen_ai.workflow.name": "work"}),
        ("agent", "invoke_agent work", {"gen_ai.agent.name": "work"}),
        ("step", "work", {}),
        ("tool", "execute_tool work", {"sightline.stage": "tool_execution"}),
        ("retrieval", "retrieval work", {"sightline.stage": "retrieval"}),
        ("guardrail", "work", {"sightline.stage": "guardrail", "sightline.guardrail.blocked": False}),
        ("llm", "chat work", {"sightline.stage": "model_inference"}),
    ],
)
@pytest.mark.parametrize("form", ["bare", "called", "named"])
def test_every_decorator_names_its_operation(
    seen: Captured, decorator: str, name: str, expected: dict[str, Any], form: str
) -> None:
    """Bare or with options, each decorator writes its operation and the standard name beside it."""

    def work() -> None:
        """Do it."""

    decorate = getattr(sightline, decorator)
    decorated = {"bare": decorate, "called": decorate(), "named": decorate(stage="mine", capture=False)}[
        form
    ](work)
    assert decorated() is None
    (span,) = seen.spans
    assert span.name == name
    assert span.attributes["sightline.operation"] == decorator
    wanted = {**expected, "sightline.stage": "mine"} if form == "named" else expected
    assert {key: span.attributes.get(key) for key in wanted} == wanted
    assert (decorated.__name__, decorated.__doc__) == ("work", "Do it.")


# -- how each kind of function ends ----------------------------------------------------------------


def test_a_function_returns_its_result(seen: Captured) -> None:
    """The program sees the result, the span sees it too."""
    assert leaf("x") == "x"
    assert seen.span("leaf").attributes["sightline.output"] == '"x"'


def test_a_coroutine_is_timed_until_it_is_done(seen: Captured) -> None:
    """The span of a coroutine ends when its work ends, and the wrapper is still a coroutine function."""

    @sightline.step
    async def slow() -> int:
        await asyncio.sleep(0)
        leaf()
        return 7

    assert inspect.iscoroutinefunction(slow)
    assert asyncio.run(slow()) == 7
    assert seen.span("slow").end_ns > seen.span("leaf").end_ns
    assert parent_of(seen, "leaf") == "slow"


def test_an_exception_passes_and_marks_the_span(seen: Captured) -> None:
    """The program gets its own exception; the span is an error with type, message and stack trace."""

    @sightline.step
    def fails() -> None:
        raise ValueError("bad input")

    with pytest.raises(ValueError, match="bad input"):
        consumer(fails)
    span = seen.span("fails")
    assert (span.status, span.status_message, span.attributes["error.type"]) == (
        "error",
        "bad input",
        "ValueError",
    )
    ((name, _, details),) = span.events
    assert (name, details["exception.message"]) == ("exception", "bad input")
    assert "fails" in details["exception.stacktrace"]


def test_an_exception_that_cannot_be_printed_passes_too(seen: Captured) -> None:
    """An error whose own text fails reaches the caller as it is, and the span knows its type."""

    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    @sightline.step
    def fails() -> None:
        raise MuteError

    with pytest.raises(MuteError):
        fails()
    assert (seen.span("fails").status, seen.span("fails").status_message) == ("error", MuteError.__qualname__)


def test_an_exception_is_recorded_once_and_marks_every_level(seen: Captured) -> None:
    """The stack trace is on the innermost span only; each span that the exception left is an error."""

    @sightline.step
    def fails() -> None:
        raise ValueError("bad input")

    with pytest.raises(ValueError, match="bad input"):
        consumer(fails)
    outer = seen.span("invoke_workflow consumer")
    assert (outer.status, outer.attributes["error.type"], outer.events) == ("error", "ValueError", [])


def test_a_cancelled_task_is_closed_and_marked(seen: Captured) -> None:
    """Cancellation ends the span as an error of type CancelledError; the task stays cancelled."""
    started = asyncio.Event

    @sightline.step
    async def endless(running: asyncio.Event) -> None:
        running.set()
        await asyncio.Event().wait()

    async def main() -> None:
        running = started()
        task = asyncio.create_task(endless(running))
        await running.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    span = seen.span("endless")
    assert (span.status, span.attributes["error.type"]) == ("error", "CancelledError")


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


# -- who is whose parent ---------------------------------------------------------------------------


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


# -- methods, signatures, guardrails, models -------------------------------------------------------


def test_methods_of_every_kind_are_decorated(seen: Captured) -> None:
    """Instance, class and static methods work, in either order; their object is not recorded."""

    class Shop:
        @sightline.step
        def instance(self, a: int) -> int:
            return a

        @sightline.step
        @classmethod
        def of_class(cls, a: int) -> type:
            return cls

        @staticmethod
        @sightline.step
        def static(a: int) -> int:
            return a

        @sightline.step
        def stream(self, a: int) -> Generator[int]:
            yield a

    shop = Shop()
    assert (shop.instance(1), shop.of_class(2), Shop.static(3), list(shop.stream(4))) == (1, Shop, 3, [4])
    assert [span.attributes["sightline.input"] for span in seen.spans] == [
        '{"a":1}',
        '{"a":2}',
        '{"a":3}',
        '{"a":4}',
    ]


def test_a_stream_function_still_looks_like_one() -> None:
    """Frameworks ask `inspect` whether a function streams: the decorated one answers alike."""
    assert inspect.isgeneratorfunction(numbers)
    assert inspect.isasyncgenfunction(anumbers)
    assert list(inspect.signature(numbers).parameters) == ["count"]


def test_a_wrong_call_fails_as_it_would_undecorated(seen: Captured) -> None:
    """A missing argument is the caller's TypeError."""
    with pytest.raises(TypeError):
        numbers()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        leaf(1, 2)  # type: ignore[call-arg, arg-type]


@pytest.mark.parametrize(("verdict", "blocked"), [(True, False), (None, False), (False, True)])
def test_a_guardrail_blocks_by_returning_false(seen: Captured, verdict: bool | None, blocked: bool) -> None:
    """Only False blocks; the result is recorded as a fact about the span, not as an error."""

    @sightline.guardrail
    def check(text: str) -> bool | None:
        return verdict

    assert check("hi") is verdict
    span = seen.span("check")
    assert (span.attributes["sightline.guardrail.blocked"], span.status) == (blocked, "unset")


def test_a_guardrail_blocks_by_raising(seen: Captured) -> None:
    """GuardrailTripped reaches the caller and is a block, not an error, of the guardrail."""

    @sightline.guardrail
    def check(text: str) -> None:
        raise sightline.GuardrailTripped("no medical advice")

    with pytest.raises(sightline.GuardrailTripped):
        check("hi")
    span = seen.span("check")
    assert (span.attributes["sightline.guardrail.blocked"], span.status, span.events) == (True, "unset", [])


def test_a_guardrail_that_fails_has_not_said_anything(seen: Captured) -> None:
    """A check that crashed is an error, neither a pass nor a block."""

    @sightline.guardrail
    def check(text: str) -> bool:
        raise RuntimeError("model not loaded")

    with pytest.raises(RuntimeError):
        check("hi")
    span = seen.span("check")
    assert (span.status, "sightline.guardrail.blocked" in span.attributes) == ("error", False)


def test_a_hand_made_model_function_reports_its_response(seen: Captured) -> None:
    """`@llm` reads the response that the function returns, as `llm_call` does."""

    @sightline.llm(provider="openai", model="gpt-4o-mini")
    def ask(messages: list[dict[str, str]]) -> dict[str, Any]:
        choice = {"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}
        return {"id": "r1", "model": "gpt-4o-mini", "choices": [choice], "usage": {"prompt_tokens": 9}}

    ask([{"role": "user", "content": "hello"}])
    span = seen.span("chat gpt-4o-mini")
    assert span.kind == "client"
    assert span.attributes["gen_ai.usage.input_tokens"] == 9
    assert span.attributes["gen_ai.response.finish_reasons"] == ["stop"]
    assert json.loads(span.attributes["gen_ai.input.messages"])[0]["parts"][0]["content"] == "hello"
    assert span.attributes["sightline.cost_usd"] == "0.00000135"


def test_a_streaming_model_function_is_timed_and_counted(seen: Captured) -> None:
    """`@llm` on a generator measures the first token and estimates usage that nobody reported."""

    @sightline.llm(provider="acme", model="tiny")
    def ask(prompt: str) -> Generator[str]:
        yield "Hello"
        yield " there"

    assert "".join(ask("hello")) == "Hello there"
    values = seen.span("chat tiny").attributes
    assert values["sightline.usage.estimated"] is True
    assert values["gen_ai.usage.output_tokens"] == 3
    assert values["sightline.time_to_first_token"] == 0.001
    assert values["sightline.cost_reason"] == "no_provider"


def test_a_model_function_that_fails_half_way_has_tokens_and_cost(seen: Captured) -> None:
    """What the model had said until then was paid for."""

    @sightline.llm(provider="openai", model="gpt-4o-mini")
    def ask(prompt: str) -> Generator[str]:
        yield "Hello"
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        list(ask("hello"))
    (span,) = seen.spans
    assert (span.status, span.attributes["gen_ai.usage.output_tokens"]) == ("error", 2)
    assert "sightline.cost_usd" in span.attributes


def test_capture_can_be_refused_for_one_function(seen: Captured) -> None:
    """`capture=False` keeps arguments and result out, whatever the content mode."""

    @sightline.step(capture=False)
    def secret(password: str) -> str:
        return password

    secret("p")
    assert set(seen.span("secret").attributes) == {"sightline.operation"}


def test_without_init_the_program_runs_as_if_undecorated() -> None:
    """Nothing is recorded and nothing fails before `init()`."""
    assert leaf("x") == "x"
    assert list(numbers(2)) == [0, 1]
