"""What people are told when something could not be sent."""

import logging
import time
from typing import Any

import pytest
from sdk.answers import drafts, sender

from sightline._delivery import sender as sending
from sightline._delivery.refusal import NO_OTLP, UNREACHABLE, Refusal
from sightline._delivery.undelivered import lost, refused, waiting

SECRET_URL = "http://user:hunter2@127.0.0.1:9/v1/traces?key=hunter2"


def test_what_waits_says_what_where_and_what_to_do() -> None:
    """The unit, the address, the reason, the next step."""
    said = waiting("traces", "http://h:4318", Refusal(UNREACHABLE, later=True, detail="Connection refused"))
    assert said == (
        "Sightline cannot send spans to http://h:4318 now (Connection refused); they wait and will be tried"
        " again. Is the collector running? Start it with `sightline up`, or name another one with"
        " sightline.init(endpoint=...) or OTEL_EXPORTER_OTLP_ENDPOINT."
    )


@pytest.mark.parametrize(
    ("status", "step"),
    [("401", "API key"), ("403", "API key"), ("404", "4318 (HTTP)"), ("413", "capture"), ("500", "own log")],
)
def test_what_is_refused_says_what_to_change(status: str, step: str) -> None:
    """Each refusal has its own next step."""
    said = refused("logs", "http://h:4318", Refusal(f"refused_{status}", detail=status))
    assert "log records were refused by http://h:4318" in said
    assert step in said


@pytest.mark.parametrize(
    ("items", "signal", "counted"),
    [(1, "traces", "1 span"), (2, "traces", "2 spans"), (2, "logs", "2 log records")],
)
def test_what_is_lost_is_counted_in_its_unit(items: int, signal: str, counted: str) -> None:
    """One span, two spans, two log records."""
    assert f"could not send {counted} to http://h:1: the program ended first." in lost(
        items, signal, "closed", "http://h:1"
    )


def test_no_message_holds_credentials(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the user and password of a URL, nor its query, nor a header is ever said."""
    way = sender(SECRET_URL, headers=(("authorization", "Bearer hunter2"),))
    refusal = way.spans(drafts(1), 1)
    assert refusal is not None
    assert "http://127.0.0.1:9 " in caplog.text
    assert "hunter2" not in caplog.text + refusal.detail


def test_an_outage_is_said_once_and_then_rarely(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it is tried: one line a minute."""
    now_s = 1_000.0
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    way = sender("http://127.0.0.1:9/v1/traces")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            way.spans(drafts(1), 1)
        assert len(caplog.records) == 1
        now_s += sending.COMPLAIN_EVERY_S + 1
        way.spans(drafts(1), 1)
    assert len(caplog.records) == 2


def test_a_batch_to_be_split_is_not_complained_about(answers: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What may still be taken in parts is not lost; a single span that is too large is, and is heard of."""
    answers.status = 413
    way = sender(answers.url)
    way.spans(drafts(2), 2)
    assert caplog.text == ""
    way.spans(drafts(1), 1)
    assert "capture less" in caplog.text


def test_a_certificate_that_is_not_there_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """The path is said: it is what has to be changed."""
    way = sender("https://127.0.0.1:9/v1/traces", authorities="/no/such/ca.pem")
    way.spans(drafts(1), 1)
    assert "/no/such/ca.pem" in caplog.text


def test_another_protocols_port_is_named_as_the_likely_mistake() -> None:
    """Who answers without HTTP is not a collector that has to be started."""
    said = waiting("traces", "http://h:4317", Refusal(NO_OTLP, later=True, detail="no HTTP is spoken there"))
    assert "now (no HTTP is spoken there)" in said
    assert "listens on 4318 (HTTP) and 4317 (gRPC)" in said
