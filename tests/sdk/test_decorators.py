"""What decorated functions of every kind leave on their span, and what they are to their callers."""

import asyncio
import functools
import inspect
import pickle
from collections.abc import Generator
from typing import Any

import pytest
from sdk.decorated import anumbers, leaf, numbers, parent_of

import sightline
from sightline.testing import Captured, CapturedSpan


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


class Talker:
    """An object that is called like a function that streams."""

    def __call__(self, words: str) -> Generator[str]:
        yield from words.split()


class Answerer:
    """An object that is called like a coroutine function."""

    async def __call__(self, question: str) -> str:
        leaf()
        return "a"


def test_a_partial_is_recorded_as_its_function(seen: Captured) -> None:
    """Of a generator function, too: with the function's name, reading inside of the span."""

    def count(start: int, stop: int) -> Generator[int]:
        yield from range(start, stop)

    two = sightline.step(functools.partial(count, 0))
    assert inspect.isgeneratorfunction(two)
    assert list(two(2)) == [0, 1]
    assert seen.span("count").attributes["sightline.output"] == "[0,1]"
    assert seen.span("count").attributes["sightline.input"] == '{"stop":2}'


def test_an_object_is_recorded_by_what_its_call_does(seen: Captured) -> None:
    """A call that streams or is awaited is timed to its end, and the span has the type's name."""
    assert list(sightline.step(Talker())("a b")) == ["a", "b"]
    assert asyncio.run(sightline.step(Answerer())("why?")) == "a"
    assert seen.span("Talker").attributes["sightline.output"] == '"ab"'
    assert parent_of(seen, "leaf") == "Answerer"


def test_a_method_that_streams_is_a_method() -> None:
    """It has its name and its object, equals itself, and streams in `inspect`'s eyes."""

    class Shop:
        @sightline.step
        def goods(self) -> Generator[int]:
            yield 1

    shop = Shop()
    method: Any = shop.goods
    assert (method.__name__, method.__self__, method == shop.goods) == ("goods", shop, True)
    assert inspect.isgeneratorfunction(method)
    assert list(inspect.signature(method).parameters) == []


def test_a_decorated_function_is_pickled_by_its_name() -> None:
    """Worker processes are sent functions that stream as they are sent others."""
    for function in (numbers, leaf):
        assert pickle.loads(pickle.dumps(function)) is function  # noqa: S301  # our own


def test_a_keyword_named_as_a_positional_is_recorded_beside_it(seen: Captured) -> None:
    """Where `**more` holds the name of an argument that was given by place, both are there."""

    @sightline.step
    def both(a: int, /, **more: int) -> None: ...

    both(1, a=2)
    both(1, b=2)
    assert [span.attributes["sightline.input"] for span in seen.spans] == [
        '{"a":1,"more":{"a":2}}',
        '{"a":1,"b":2}',
    ]


@pytest.mark.parametrize(
    ("use", "says"),
    [
        (lambda: sightline.step("rank"), r"@step\(name='rank'\)"),  # type: ignore[call-overload]
        (lambda: sightline.step(nmae="rank"), "no such option; there are name, stage"),  # type: ignore[call-overload]
        (lambda: sightline.agent(Talker), "decorate its methods"),
        (lambda: sightline.step(property(leaf)), "write @property above"),  # type: ignore[call-overload]
        (lambda: sightline.step(functools.partialmethod(leaf)), "the function inside of it"),  # type: ignore[call-overload]
    ],
)
def test_a_wrong_use_is_refused_at_once(use: Any, says: str) -> None:
    """What cannot be recorded fails where it is decorated, and says what to do."""
    with pytest.raises(sightline.ConfigurationError, match=says):
        use()
