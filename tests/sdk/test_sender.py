"""The way to the collector: what a transport makes of every answer, and what people are told."""

import gzip
import logging
import socket
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

from sightline import _safety, _sender
from sightline._destination import Destination, Route
from sightline._outgoing import Draft
from sightline._sender import Sender
from sightline._shipping import UNREACHABLE, Refusal
from sightline._undelivered import lost, refused, waiting

SECRET_URL = "http://user:hunter2@127.0.0.1:9/v1/traces?key=hunter2"


class Answers(BaseHTTPRequestHandler):
    """Answers as the test wants; keeps the bodies."""

    protocol_version = "HTTP/1.1"
    status, headers_sent, once, said = 200, {}, False, b""  # type: ignore[var-annotated]
    bodies: list[tuple[str | None, bytes]] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.bodies.append((self.headers.get("content-encoding"), body))
        self.send_response(self.status)
        for name, value in {"content-length": str(len(self.said)), **self.headers_sent}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.said)
        self.close_connection = self.once  # without saying so

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def answers() -> Iterator[type[Answers]]:
    handler = type("Handler", (Answers,), {"bodies": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    handler.url = f"http://127.0.0.1:{server.server_port}/v1/traces"  # type: ignore[attr-defined]
    yield handler
    server.shutdown()
    server.server_close()
    thread.join()


def drafts(count: int, note: str = "") -> list[Draft]:
    ids, resource = SpanContext(1, 2, is_remote=False), Resource.get_empty()
    spans = [ReadableSpan(f"s{n}", ids, resource=resource, attributes={"note": note}) for n in range(count)]
    return [Draft.of(span) for span in spans]


def sender(url: str, **route: Any) -> Sender:
    way = Route(url, **route)
    return Sender(Destination(way, way))


def names_in(body: bytes) -> list[str]:
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    return [span.name for span in resource.scope_spans[0].spans]


# -- answers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, None),
        (202, None),
        (301, Refusal("refused_301")),
        (400, Refusal("refused_400")),
        (401, Refusal("refused_401")),
        (413, Refusal("refused_413", splits=True)),
        (429, Refusal("refused_429", later=True)),
        (500, Refusal("refused_500")),
        (503, Refusal("refused_503", later=True)),
    ],
)
def test_every_status_has_one_meaning(answers: Any, status: int, expected: Refusal | None) -> None:
    """Taken, refused for good, to be tried later, or to be tried in parts: OTLP's own lists."""
    answers.status = status
    refusal = sender(answers.url).spans(drafts(2), 2)
    assert (refusal and (refusal.reason, refusal.later, refusal.splits)) == (
        expected and (expected.reason, expected.later, expected.splits)
    )
    assert len(answers.bodies) == 1


@pytest.mark.parametrize(
    ("said", "rejected"),
    [
        (b"", None),
        (ExportTraceServiceResponse().SerializeToString(), None),
        (ExportTraceServiceResponse(partial_success={}).SerializeToString(), None),
        (ExportTraceServiceResponse(partial_success={"error_message": "careful"}).SerializeToString(), None),
        (ExportTraceServiceResponse(partial_success={"rejected_spans": 2}).SerializeToString(), 2),
        (
            ExportTraceServiceResponse(
                partial_success={"error_message": "old", "rejected_spans": 300}
            ).SerializeToString(),
            300,
        ),
        (b"OK", None),
        (b"\x0a\xff", None),
        (b"<html>", None),
    ],
)
def test_what_is_taken_in_part_is_lost_in_part(answers: Any, said: bytes, rejected: int | None) -> None:
    """A partial success names how many spans were rejected; any other answer of a success changes nothing."""
    answers.said = said
    refusal = sender(answers.url).spans(drafts(2), 2)
    assert (refusal and refusal.items) == rejected


def test_a_busy_collector_may_name_the_pause(answers: Any) -> None:
    """Retry-After in seconds is passed on; a date is not worth the clocks' difference."""
    answers.status, answers.headers_sent = 503, {"retry-after": "7"}
    refusal = sender(answers.url).spans(drafts(1), 1)
    assert refusal is not None
    assert refusal.after_s == 7.0
    answers.headers_sent = {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}
    refusal = sender(answers.url).spans(drafts(1), 1)
    assert refusal is not None
    assert refusal.after_s == 0.0


def test_one_connection_is_kept_and_made_anew_when_it_was_closed(answers: Any) -> None:
    """A collector that hung up between two requests costs neither of them."""
    answers.once = True
    way = sender(answers.url)
    assert [way.spans(drafts(1), 1) for _ in range(3)] == [None, None, None]
    assert len(answers.bodies) == 3


@pytest.mark.parametrize(
    ("compression", "undo"), [("gzip", gzip.decompress), ("deflate", zlib.decompress), ("none", bytes)]
)
def test_bodies_are_compressed_as_asked(answers: Any, compression: str, undo: Any) -> None:
    """gzip, deflate or neither; the header says which."""
    assert sender(answers.url, compression=compression).spans(drafts(3), 3) is None
    ((encoding, body),) = answers.bodies
    assert encoding == (None if compression == "none" else compression)
    assert names_in(undo(body)) == ["s0", "s1", "s2"]


def test_a_request_beyond_the_bound_is_to_be_split(answers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too large by our own measure is not sent; a single span is tried whatever its size."""
    monkeypatch.setattr(_sender, "REQUEST_BYTES", 1_000)
    refusal = sender(answers.url).spans(drafts(2, "x" * 600), 2)
    assert refusal is not None
    assert (refusal.reason, refusal.splits, answers.bodies) == ("too_large", True, [])
    assert sender(answers.url).spans(drafts(1, "x" * 2_000), 1) is None


def test_a_silent_collector_is_not_waited_for_long() -> None:
    """One that takes the connection and says nothing is unreachable after the timeout."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        way = sender(f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces", timeout_s=0.05)
        refusal = way.spans(drafts(1), 1)
    assert refusal is not None
    assert (refusal.reason, refusal.later, way.reachable) == (UNREACHABLE, True, False)


def test_a_collector_that_is_busy_is_there(answers: Any) -> None:
    """Only one that does not answer at all is unreachable: an exit has more patience with a busy one."""
    answers.status = 503
    way = sender(answers.url)
    way.spans(drafts(1), 1)
    assert way.reachable


# -- what people are told --------------------------------------------------------------------------


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
    """However often it is tried: one line, and another after ten minutes."""
    now_s = 1_000.0
    monkeypatch.setattr(_safety.time, "monotonic", lambda: now_s)
    way = sender("http://127.0.0.1:9/v1/traces")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            way.spans(drafts(1), 1)
        assert len(caplog.records) == 1
        now_s += _sender.COMPLAIN_EVERY_S + 1
        way.spans(drafts(1), 1)
    assert len(caplog.records) == 2


def test_a_batch_to_be_split_is_not_complained_about(answers: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What may still be taken in parts is not lost."""
    answers.status = 413
    sender(answers.url).spans(drafts(2), 2)
    assert caplog.text == ""
