"""What is said once and carried to every span below."""

import asyncio
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider

import sightline
from sightline import _runtime, testing
from sightline._spans.processor import SightlineProcessor
from sightline.testing import Captured

WHOLE = {
    "user.id": "u1",
    "session.id": "s1",
    "gen_ai.conversation.id": "s1",
    "sightline.feature": "support",
    "gen_ai.prompt.name": "greet",
    "gen_ai.prompt.version": "3",
    "sightline.variant": "B",
    "sightline.tags": ["beta", "eu"],
}


@pytest.fixture
def seen() -> Iterator[Captured]:
    with testing.capture() as captured:
        yield captured


def carried_by(seen: Captured, name: str) -> dict[str, object]:
    own = {"sightline.operation", "sightline.stage"}
    return {key: value for key, value in seen.span(name).attributes.items() if key not in own}


def test_everything_lands_on_every_span_below(seen: Captured) -> None:
    """User, session, feature, prompt, variant and tags are on the block's spans, at any depth, not beside."""
    with sightline.stage("above"):
        with (
            sightline.context(
                user_id="u1",
                session_id="s1",
                feature="support",
                prompt=("greet", 3),
                variant="B",
                tags=["beta", "eu"],
            ),
            sightline.stage("outer"),
            sightline.stage("inner"),
        ):
            pass
        with sightline.stage("after"):
            pass
    assert carried_by(seen, "outer") == carried_by(seen, "inner") == WHOLE
    assert carried_by(seen, "above") == carried_by(seen, "after") == {}


def test_foreign_spans_carry_it_too(seen: Captured) -> None:
    """Spans that other instrumentations start, by OpenTelemetry's own API, are stamped alike."""
    tracer = _runtime.current.tracer
    with sightline.context(user_id="u1"), tracer.start_as_current_span("foreign", attributes={"a": 1}):
        pass
    assert seen.span("foreign").attributes == {"a": 1, "user.id": "u1"}


def test_what_a_spans_author_has_set_stays(seen: Captured) -> None:
    """The context fills in; it does not overwrite what a span says of itself."""
    tracer = _runtime.current.tracer
    with sightline.context(session_id="s1"):
        tracer.start_span("foreign", attributes={"gen_ai.conversation.id": "own"}).end()
    assert seen.span("foreign").attributes == {"gen_ai.conversation.id": "own", "session.id": "s1"}


def test_inner_values_win_and_tags_add_up(seen: Captured) -> None:
    """A nested block changes what it names and keeps the rest."""
    with (
        sightline.context(user_id="u1", feature="a", tags=["x", "y"]),
        sightline.context(feature="b", tags=["y", "z"]),
        sightline.stage("work"),
    ):
        pass
    assert carried_by(seen, "work") == {
        "user.id": "u1",
        "sightline.feature": "b",
        "sightline.tags": ["x", "y", "z"],
    }


def test_values_become_text(seen: Captured) -> None:
    """Numbers for ids are as good as strings; a single tag may be a string."""
    with sightline.context(user_id=7, prompt="greet", tags="one"), sightline.stage("work"):
        pass
    assert carried_by(seen, "work") == {
        "user.id": "7",
        "gen_ai.prompt.name": "greet",
        "sightline.tags": ["one"],
    }


def test_concurrent_tasks_do_not_mix(seen: Captured) -> None:
    """Each task carries its own user."""

    @sightline.step
    async def work(user: str) -> None:
        await asyncio.sleep(0)
        with sightline.stage(f"inner {user}"):
            await asyncio.sleep(0)

    async def request(user: str) -> None:
        with sightline.context(user_id=user):
            await work(user)

    async def main() -> None:
        await asyncio.gather(*(request(user) for user in ("a", "b", "c")))

    asyncio.run(main())
    assert {s.name: s.attributes["user.id"] for s in seen.spans if s.name != "work"} == {
        "inner a": "a",
        "inner b": "b",
        "inner c": "c",
    }


def test_a_processor_without_a_sink_leaves_spans_alone() -> None:
    """After a shutdown the provider's spans are no longer ours to change."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SightlineProcessor())
    with sightline.context(user_id="u1"):
        span = provider.get_tracer("x").start_span("s")
    assert not span.attributes  # type: ignore[attr-defined]
