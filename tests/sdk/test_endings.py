"""How functions and coroutines can end: with a result, an error, a cancellation."""

import asyncio
import inspect

import pytest
from sdk.decorated import consumer, leaf, parent_of

import sightline
from sightline.testing import Captured


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


def test_an_exception_raised_again_is_recorded_in_each_trace(seen: Captured) -> None:
    """One instance that fails two traces has its stack trace in both."""
    error = ValueError("always the same")

    @sightline.workflow
    def fails() -> None:
        raise error

    for _ in range(2):
        with pytest.raises(ValueError, match="always the same"):
            fails()
    assert [len(span.events) for span in seen.spans] == [1, 1]


def test_an_exception_whose_attributes_fail_passes_too(seen: Captured) -> None:
    """An error that answers every question with another error reaches the caller as it is."""

    class DeafError(Exception):
        def __getattr__(self, name: str) -> object:
            raise KeyError(name)

        def __setattr__(self, name: str, value: object) -> None:
            raise TypeError(name)

    @sightline.step
    def fails() -> None:
        raise DeafError("a")

    with pytest.raises(DeafError):
        fails()
    span = seen.span("fails")
    assert (span.status, span.status_message) == ("error", "a")
    assert [(name, details["exception.message"]) for name, _, details in span.events] == [("exception", "a")]


def test_an_interrupt_while_judging_leaves_the_judged_span(seen: Captured) -> None:
    """Ctrl-C in an inline evaluator reaches the program; what was judged has ended and is current no more."""

    @sightline.evaluator(run="inline")
    def interrupted(output: object) -> float:
        raise KeyboardInterrupt

    @sightline.agent(evaluators=[interrupted])
    def answer() -> str:
        return "a"

    with pytest.raises(KeyboardInterrupt):
        answer()
    assert seen.span("invoke_agent answer").attributes["sightline.output"] == '"a"'
    with sightline.stage("after"):
        pass
    assert seen.span("after").parent_span_id is None
