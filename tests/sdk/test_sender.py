"""The way to the collector: what a transport makes of every answer."""

import gzip
import socket
import zlib
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from sdk.answers import drafts, sender

from sightline._delivery import sender as sending
from sightline._delivery.refusal import UNREACHABLE, Refusal


def names_in(body: bytes) -> list[str]:
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    return [span.name for span in resource.scope_spans[0].spans]


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
    monkeypatch.setattr(sending, "REQUEST_BYTES", 1_000)
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
