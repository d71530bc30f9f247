"""A call that several layers tell of: which span is counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Status, StatusCode
from opentelemetry.util.types import AttributeValue

from sightline._spans import twins
from sightline._spans.processor import SightlineProcessor

Values = Mapping[str, AttributeValue]

CHAT: Values = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini"}
EMBEDDING: Values = {"gen_ai.operation.name": "embeddings"}
USED: Values = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5}
FOREIGN_USED: Values = {"openinference.span.kind": "LLM", "llm.token_count.prompt": 10}


class Layers:
    """Spans as instrumentations make them, and what became of each: by name, whether it is marked."""

    def __init__(self) -> None:
        self.marked: dict[str, bool] = {}
        self._provider = TracerProvider(shutdown_on_exit=False)
        self._provider.add_span_processor(SightlineProcessor(self._keep))

    @contextmanager
    def span(self, name: str, values: Values | None = None, *, scope: str = "any") -> Iterator[trace.Span]:
        tracer = self._provider.get_tracer(scope)
        with tracer.start_as_current_span(name, attributes=values) as span:
            yield span

    def call(self, name: str, *, usage: bool = True) -> Any:
        return self.span(name, {**CHAT, **USED} if usage else CHAT)

    def _keep(self, span: Any) -> None:
        self.marked[span.name] = span.attributes.get("sightline.usage.aggregated", False)


@pytest.fixture
def layers() -> Iterator[Layers]:
    yield Layers()
    assert not twins._followed


def test_the_innermost_call_with_usage_is_counted(layers: Layers) -> None:
    """Three layers, and a span that is no call between them: only the last one is not marked."""
    with layers.call("outer"), layers.call("middle"), layers.span("retry"), layers.call("inner"):
        pass
    assert layers.marked == {"outer": True, "middle": True, "retry": False, "inner": False}


def test_an_inner_call_without_usage_leaves_the_outer_one(layers: Layers) -> None:
    """What carries the tokens is counted: a provider's span may know less than the framework's."""
    with layers.call("outer"), layers.call("inner", usage=False):
        pass
    assert layers.marked == {"outer": False, "inner": False}


def test_an_outer_call_without_usage_is_none_beside_the_inner(layers: Layers) -> None:
    """A function that is decorated as a call, and returns something else, adds no call without a price."""
    with layers.call("outer", usage=False), layers.call("inner"):
        pass
    assert layers.marked == {"outer": True, "inner": False}


def test_calls_beside_each_other_are_all_counted(layers: Layers) -> None:
    """Siblings are two calls, also when they are at work at the same time."""
    with layers.span("agent"):
        first, second = layers.call("first"), layers.call("second")
        with first:
            pass
        with second:
            pass
    assert layers.marked == {"agent": False, "first": False, "second": False}


def test_an_embedding_inside_of_a_chat_is_beside_it(layers: Layers) -> None:
    """A lookup on the way to an answer has tokens of its own; it does not carry the answer's."""
    with layers.call("chat"), layers.span("lookup", {**EMBEDDING, **USED}):
        pass
    assert layers.marked == {"chat": False, "lookup": False}


@pytest.mark.parametrize(
    "aside",
    [
        {"sightline.operation": "evaluator"},
        {"sightline.operation": "guardrail"},
        {"gen_ai.operation.name": "execute_tool"},
        {"openinference.span.kind": "TOOL"},
    ],
)
def test_a_call_of_a_tool_or_a_judge_is_another_call(layers: Layers, aside: Values) -> None:
    """What is asked of a model on the way to an answer, or about it, is paid beside the answer."""
    with layers.call("answer"), layers.span("aside", aside), layers.call("asked"):
        pass
    assert layers.marked == {"answer": False, "aside": False, "asked": False}


def test_a_failure_is_counted_where_it_happened(layers: Layers) -> None:
    """Both layers of a refused call have failed; one of them is counted."""
    with layers.call("outer", usage=False) as outer:
        with layers.call("inner", usage=False) as inner:
            inner.set_status(Status(StatusCode.ERROR))
        outer.set_status(Status(StatusCode.ERROR))
    assert layers.marked == {"outer": True, "inner": False}


def test_a_fallback_that_nobody_saw_is_counted_by_the_layer_above(layers: Layers) -> None:
    """The first attempt failed without a token; the answer came another way, and the outer span has it."""
    with layers.call("outer"), layers.call("inner", usage=False) as inner:
        inner.set_status(Status(StatusCode.ERROR))
    assert layers.marked == {"outer": False, "inner": False}


def test_a_call_in_another_dialect_is_understood(layers: Layers) -> None:
    """OpenInference says at its end that a span is a model call."""
    with layers.span("outer", scope="openinference.instrumentation.litellm") as outer:
        with layers.call("inner"):
            pass
        outer.set_attributes(FOREIGN_USED)
    assert layers.marked == {"outer": True, "inner": False}


def ended_in_turn(opened: Iterable[Any], ended: Iterable[Any]) -> None:
    """Blocks that are left in another order than they were entered, in a context of their own."""

    def blocks() -> None:
        for block in opened:
            block.__enter__()
        for block in ended:
            block.__exit__(None, None, None)

    copy_context().run(blocks)


@pytest.mark.parametrize("usage", [True, False])
def test_a_call_that_outlives_the_one_around_it_is_counted(layers: Layers, usage: bool) -> None:
    """A stream may be read when its caller has long returned: it will tell of the tokens."""
    outer, between, inner = layers.call("outer", usage=usage), layers.span("between"), layers.call("inner")
    ended_in_turn((outer, between, inner), (between, outer, inner))
    assert layers.marked == {"outer": True, "between": False, "inner": False}


def test_what_a_tool_left_running_is_another_call(layers: Layers) -> None:
    """Nor is a lookup that goes on beside it."""
    outer = layers.call("outer")
    tool = layers.span("tool", {"gen_ai.operation.name": "execute_tool"})
    inner = layers.call("inner")
    ended_in_turn((outer, tool, inner), (outer, tool, inner))
    assert layers.marked == {"outer": False, "tool": False, "inner": False}


def test_an_agent_is_not_marked(layers: Layers) -> None:
    """What is no model call is never counted, and needs no mark."""
    with layers.span("agent", {"gen_ai.operation.name": "invoke_agent", **USED}), layers.call("call"):
        pass
    assert layers.marked == {"agent": False, "call": False}


def test_spans_that_never_end_are_given_up(layers: Layers, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is followed has a bound; the oldest goes first."""
    monkeypatch.setattr(twins, "MAX_FOLLOWED", 2)
    tracer = layers._provider.get_tracer("any")
    spans = [tracer.start_span(f"call {number}", attributes=CHAT) for number in range(5)]
    assert len(twins._followed) == 2
    for span in spans:
        span.end()


def test_spans_beside_calls_are_not_followed(layers: Layers) -> None:
    """A span that is no call, and below none, costs a look and is not remembered."""
    with layers.span("step"), layers.span("inside"):
        assert not twins._followed
