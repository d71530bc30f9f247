"""Fixtures: strictness, real servers on loopback, waiting without sleeping."""

import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from sdk.answers import Answers, answering
from sdk.servers import ChatModel, OtlpSink, chat_model, otlp_sink

import sightline
from sightline import _estimate, _safety, testing
from sightline.budget import _guard

if TYPE_CHECKING:
    import openai


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No fault of ours is hidden from a test, and none leaks into the next."""
    monkeypatch.setenv("SIGHTLINE_STRICT", "1")
    _safety.forget_faults()
    yield
    sightline.shutdown()
    assert _safety.faults() == ({}, None)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No collector of the machine that runs the tests is sent anything."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def no_vocabulary(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tokens are estimated by bytes, on every machine alike."""
    _estimate._encoding.cache_clear()
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    yield
    _estimate._encoding.cache_clear()


@pytest.fixture(autouse=True)
def no_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget that a test's function brought along is not in use in the next."""
    monkeypatch.setattr(_guard, "_wanted", False)
    monkeypatch.setattr(_guard, "current", None)


@pytest.fixture
def seen() -> Iterator[testing.Captured]:
    """What is recorded, with a clock that ticks and ids that count."""
    with testing.capture(clock=testing.FixedClock()) as captured:
        yield captured


@pytest.fixture
def sink() -> Iterator[OtlpSink]:
    yield from otlp_sink()


@pytest.fixture
def answers() -> Iterator[type[Answers]]:
    yield from answering()


@pytest.fixture
def model() -> Iterator[ChatModel]:
    yield from chat_model()


@pytest.fixture
def client(model: ChatModel, seen: testing.Captured) -> Iterator["openai.OpenAI"]:
    """OpenAI's own client of that model, which tries once."""
    import openai  # a second of work, for these tests only

    with openai.OpenAI(base_url=model.base_url, api_key="k", max_retries=0) as made:
        yield made


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Wait for a condition, half a minute at most."""

    def wait(condition: Callable[[], object], limit_s: float = 30.0) -> None:
        deadline = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come about"
            time.sleep(0.005)

    return wait
