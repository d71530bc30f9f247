"""Fixtures: strictness, real servers on loopback, waiting without sleeping."""

import time
from collections.abc import Callable, Iterator

import pytest
from sdk.servers import ChatModel, OtlpSink, chat_model, otlp_sink

import sightline
from sightline import _safety


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No fault of ours is hidden from a test, and none leaks into the next."""
    monkeypatch.setenv("SIGHTLINE_STRICT", "1")
    _safety.forget_faults()
    yield
    sightline.shutdown()
    assert _safety.faults() == ({}, None)


@pytest.fixture
def sink() -> Iterator[OtlpSink]:
    yield from otlp_sink()


@pytest.fixture
def model() -> Iterator[ChatModel]:
    yield from chat_model()


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Wait for a condition, half a minute at most."""

    def wait(condition: Callable[[], object], limit_s: float = 30.0) -> None:
        deadline = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come about"
            time.sleep(0.005)

    return wait
