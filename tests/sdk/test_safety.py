"""Faults of ours never reach the program."""

import logging

import pytest
from opentelemetry import trace

import sightline
from sightline import _context, _safety, testing
from sightline._spans import open, processor


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tracer, a serialiser and a stamp that all fail."""

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(open, "as_json", fail)
    monkeypatch.setattr(_context, "carried", fail)


def program() -> str:
    @sightline.agent
    def answer(question: str) -> str:
        with sightline.llm_call(provider="p", model="m") as call:
            call.record("x")
        sightline.feedback(thumbs="up")
        return question

    return answer("why")


def test_the_program_does_not_notice(broken: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """With everything of ours failing, the program gets its result; each fault is counted by its place."""
    monkeypatch.delenv("SIGHTLINE_STRICT")
    with testing.capture():
        assert program() == "why"
    health = sightline.health()
    assert "OpenSpan.capture" in health.faults
    assert health.last_fault is not None
    assert "RuntimeError: ours" in health.last_fault
    _safety.forget_faults()


def test_a_tracer_that_fails_costs_the_span_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no span can be opened, the work runs without one."""
    monkeypatch.delenv("SIGHTLINE_STRICT")
    monkeypatch.setattr(trace, "set_span_in_context", None)
    with testing.capture() as seen:
        assert program() == "why"
    assert seen.spans == []
    assert sightline.health().faults["OpenSpan"] == 2
    _safety.forget_faults()


def test_a_start_that_fails_at_one_step_takes_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A span that could not be stamped is one with its twins all the same: its call is paid once."""
    monkeypatch.delenv("SIGHTLINE_STRICT")
    monkeypatch.setattr(processor, "stamp", None)
    with (
        testing.capture() as seen,
        sightline.llm_call(provider="p", model="m"),
        sightline.llm_call(provider="p", model="m") as inner,
    ):
        inner.record("x")
    assert [span.attributes.get("sightline.usage.aggregated") for span in seen.spans] == [None, True]
    assert _safety.faults()[0]["SightlineProcessor.on_start"] == 2
    _safety.forget_faults()


def test_under_test_faults_are_raised(broken: None) -> None:
    """SIGHTLINE_STRICT=1 hides nothing."""
    with testing.capture(), pytest.raises(RuntimeError, match="ours"):
        program()
    _safety.forget_faults()


def test_a_fault_is_logged_once_a_minute(
    broken: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault in a loop leaves one line of each place, with its stack trace."""
    monkeypatch.delenv("SIGHTLINE_STRICT")
    with testing.capture(), caplog.at_level(logging.WARNING):
        for _ in range(50):
            program()
    places = [record.args for record in caplog.records]
    assert len(places) == len(set(places)) > 0
    hidden = [record for record in caplog.records if "hid a fault" in record.message]
    assert [bool(record.exc_info) for record in hidden] == [True] * len(places)
    assert sightline.health().faults["OpenSpan.capture"] >= 50
    _safety.forget_faults()


def test_a_fault_in_one_step_at_a_spans_end_loses_no_span(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cost that cannot be counted against a budget is a fault of its own; the span is sent."""
    monkeypatch.delenv("SIGHTLINE_STRICT")
    with (
        testing.capture(budget=sightline.Budget(per_process=1)) as seen,
        sightline.llm_call(provider="openai", model="gpt-4o"),
    ):
        trace.get_current_span().set_attribute("sightline.cost_usd", "unknown")
    assert [span.name for span in seen.spans] == ["chat gpt-4o"]
    _safety.forget_faults()


def test_a_log_handler_or_an_error_that_fails_is_hidden_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an exception without a text nor a logger that raises turns a fault into the program's."""
    monkeypatch.delenv("SIGHTLINE_STRICT")

    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    class Broken(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            raise RuntimeError("no log")

    broken_filter = Broken()
    _safety.log.addFilter(broken_filter)
    try:
        _safety.record_fault("here", MuteError())
    finally:
        _safety.log.removeFilter(broken_filter)
    assert _safety.faults() == ({"here": 1}, "here: MuteError: None")
    _safety.forget_faults()
