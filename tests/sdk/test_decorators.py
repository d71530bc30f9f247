"""What decorated functions of every kind leave on their span, and what they are to their callers."""

import inspect
from collections.abc import Generator
from typing import Any

import pytest
from sdk.decorated import anumbers, leaf, numbers

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
