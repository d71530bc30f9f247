"""OTLP over HTTP to the letter: each status, body and header that the protocol asks for."""

import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import otlp_requests
import pytest
import zstandard
from collector.receive.receiving import Receiving
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status

from sightline_collector.receive.limits import Limits
from sightline_collector.wal.segment import Signal

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
TIGHT = Limits(body_bytes=100_000, items=50, body_wait_s=0.3, in_flight_bytes=250_000)


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiving]:
    """A receiving collector with small limits, shared: no test here depends on what was sent before."""
    with Receiving(tmp_path_factory.mktemp("log"), TIGHT) as running:
        yield running


def traces(count: int = 1, name: str = "span") -> bytes:
    encoded: bytes = otlp_requests.traces(count, name).SerializeToString()
    return encoded


def status_of(answer: httpx.Response) -> tuple[int, str]:
    """Code and message of the google.rpc.Status in the body, in whichever type it came."""
    if answer.headers["content-type"] == "application/json":
        said = answer.json()
        return said["code"], said["message"]
    status = Status.FromString(answer.content)
    return status.code, status.message


@pytest.mark.parametrize("signal", list(Signal))
def test_a_full_success_is_200_with_an_empty_response_in_the_requests_type(
    tight: Receiving, signal: Signal
) -> None:
    """Protobuf: no bytes; JSON: an empty object. partial_success stays unset. Empty requests succeed."""
    answer = httpx.post(tight.url(signal), content=b"", headers=PROTOBUF)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/x-protobuf"
    answer = httpx.post(tight.url(signal), content=b"{}", headers=JSON)
    assert (answer.status_code, answer.content) == (200, b"{}")
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"]
)
def test_a_content_type_may_have_parameters_and_any_case(tight: Receiving, content_type: str) -> None:
    """The media type counts, not how it is written."""
    answer = httpx.post(tight.url("logs"), content=b"{}", headers={"content-type": content_type})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("identity", traces()),
        ("gzip", gzip.compress(traces())),
        ("deflate", zlib.compress(traces())),
        ("zstd", zstandard.compress(traces())),
        ("gzip", gzip.compress(traces(40, "a name of some length" * 80))),
    ],
    ids=["plain", "gzip", "deflate", "zstd", "gzip in the thread"],
)
def test_compressed_bodies_are_taken(tight: Receiving, encoding: str, body: bytes) -> None:
    """gzip and none are asked for by OTLP; deflate and zstd are sent by real clients."""
    before = len(tight.records(Signal.TRACES))
    answer = httpx.post(tight.url("traces"), content=body, headers={**PROTOBUF, "content-encoding": encoding})
    assert answer.status_code == 200
    assert len(tight.records(Signal.TRACES)) == before + 1


@pytest.mark.parametrize("headers", [PROTOBUF, JSON])
def test_a_malformed_body_is_400_with_a_status_in_the_requests_type(
    tight: Receiving, headers: dict[str, str]
) -> None:
    """INVALID_ARGUMENT, a message that says what to do, and a BadRequest detail."""
    answer = httpx.post(tight.url("traces"), content=b"not a request", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (400, headers["content-type"])
    code, message = status_of(answer)
    assert code == 3
    assert "traces request" in message
    if headers is JSON:
        (detail,) = answer.json()["details"]
        assert detail["@type"] == "type.googleapis.com/google.rpc.BadRequest"
        assert detail["fieldViolations"][0]["reason"] == "malformed"
    else:
        unpacked = BadRequest()
        assert Status.FromString(answer.content).details[0].Unpack(unpacked)
        assert unpacked.field_violations[0].reason == "malformed"


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/grpc", "application/x-protobuffer"]
)
def test_an_unsupported_content_type_is_415(tight: Receiving, content_type: str | None) -> None:
    """Also a missing one; the body is a protobuf Status that names the two types."""
    headers = {"content-type": content_type} if content_type else {}
    answer = httpx.post(tight.url("traces"), content=traces(), headers=headers)
    assert answer.status_code == 415
    code, message = status_of(answer)
    assert code == 3
    assert "application/x-protobuf or application/json" in message


def test_an_unsupported_content_encoding_is_415_and_lists_the_supported(tight: Receiving) -> None:
    """RFC 9110: the answer's Accept-Encoding says what would have been understood."""
    answer = httpx.post(tight.url("traces"), content=b"x", headers={**PROTOBUF, "content-encoding": "br"})
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "gzip, deflate, zstd")
    assert status_of(answer)[0] == 3


def test_a_body_that_is_not_of_its_encoding_is_400(tight: Receiving) -> None:
    """A plain body under Content-Encoding: gzip."""
    answer = httpx.post(
        tight.url("traces"), content=traces(), headers={**PROTOBUF, "content-encoding": "gzip"}
    )
    assert answer.status_code == 400
    assert "not valid gzip" in status_of(answer)[1]


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/trace", "/v1/traces/", "/v1development/profiles"])
def test_an_unknown_path_is_404(tight: Receiving, path: str) -> None:
    """The answer lists the paths that there are."""
    answer = httpx.post(f"http://127.0.0.1:{tight.http.port}{path}", content=b"", headers=JSON)
    assert answer.status_code == 404
    code, message = status_of(answer)
    assert code == 12
    assert "Use /v1/traces, /v1/logs, /v1/metrics" in message


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_another_method_is_405_with_allow(tight: Receiving, method: str) -> None:
    """Only POST sends telemetry."""
    answer = httpx.request(method, tight.url("traces"))
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert status_of(answer)[0] == 12


def chunked(size_bytes: int) -> Iterator[bytes]:
    for _ in range(size_bytes // 1000):
        yield bytes(1000)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (bytes(100_001), ""),
        (chunked(200_000), ""),
        (gzip.compress(traces(45, "n" * 3000)), "gzip"),
        (gzip.compress(b"\x0a\x00" * 60_000), "gzip"),
    ],
    ids=["declared", "chunked", "inflated", "bomb"],
)
def test_an_oversize_body_is_413_before_and_after_inflating(
    tight: Receiving, content: Any, encoding: str
) -> None:
    """RESOURCE_EXHAUSTED without a time to wait: the sender must not retry."""
    answer = httpx.post(
        tight.url("traces"), content=content, headers={**PROTOBUF, "content-encoding": encoding}
    )
    assert answer.status_code == 413
    assert status_of(answer) == (
        8,
        "The request is larger than 100000 bytes. "
        "Send smaller batches, for example with OTEL_BSP_MAX_EXPORT_BATCH_SIZE=512.",
    )
    assert "retry-after" not in answer.headers


def test_an_oversize_body_is_answered_while_its_sender_still_writes(tmp_path: Path) -> None:
    """A sender that writes all of its body before it reads gets the 413, not a broken connection."""
    with Receiving(tmp_path) as receiving, httpx.Client() as client:
        for _ in range(2):
            answer = client.post(receiving.url("traces"), content=bytes(70 << 20), headers=PROTOBUF)
            assert answer.status_code == 413
        assert client.post(receiving.url("traces"), content=traces(), headers=PROTOBUF).status_code == 200


def test_too_many_items_are_413_and_counted_as_lost(tight: Receiving) -> None:
    """What was refused for good is counted exactly, by signal and reason."""
    labels = {"signal": "traces", "reason": "too_many_items"}
    before = tight.count("loss_items_total", **labels)
    answer = httpx.post(tight.url("traces"), content=traces(51), headers=PROTOBUF)
    assert answer.status_code == 413
    assert tight.count("loss_items_total", **labels) == before + 51
    assert tight.count("receive_refused_items_total", **labels) >= 51


def test_a_full_log_is_503_with_a_small_retry_after(tmp_path: Path) -> None:
    """UNAVAILABLE with RetryInfo: the OpenTelemetry Python exporter waits, if it is told 1 to 3 seconds."""
    with Receiving(tmp_path, log_bytes=100) as receiving:
        answer = httpx.post(receiving.url("traces"), content=traces(), headers=PROTOBUF)
        assert answer.status_code == 503
        assert status_of(answer)[0] == 14
        wait = RetryInfo()
        assert any(detail.Unpack(wait) for detail in Status.FromString(answer.content).details)
        assert 1 <= wait.retry_delay.seconds == int(answer.headers["retry-after"]) <= 3
        said = httpx.post(receiving.url("logs"), content=LOG, headers=JSON).json()
        assert said["details"][0]["@type"] == "type.googleapis.com/google.rpc.RetryInfo"
        assert receiving.count("loss_items_total", signal="traces", reason="log_full") == 0


LOG = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"severityNumber": 9}]}]}]}).encode()


def open_post(receiving: Receiving, declared_bytes: int, sent: bytes) -> socket.socket:
    """A connection on which a request was begun, and not finished."""
    connection = socket.create_connection(("127.0.0.1", receiving.http.port), timeout=10)
    head = "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
    connection.sendall(f"{head}Content-Length: {declared_bytes}\r\n\r\n".encode() + sent)
    return connection


@pytest.mark.parametrize("sent", [b"", b"\x0a", bytes(999)])
def test_a_body_that_stops_coming_is_408_and_the_connection_closed(tight: Receiving, sent: bytes) -> None:
    """A sender that dribbles, or never begins, holds its room for a bounded time only."""
    with open_post(tight, 1000, sent) as connection:
        answered = b""
        while chunk := connection.recv(1000):
            answered += chunk
    assert answered.startswith(b"HTTP/1.1 408 ")
    assert tight.count("receive_in_flight_bytes") == 0


def test_bodies_beyond_the_room_for_all_are_429_with_retry_after(tmp_path: Path) -> None:
    """Many large bodies at once: those that do not fit are told to wait, the others go on."""
    limits = Limits(body_bytes=100_000, in_flight_bytes=150_000)
    body = traces(1, "n" * 80_000)
    with Receiving(tmp_path, limits) as receiving:
        with open_post(receiving, len(body), body[:-1]) as first:
            wait_for_bytes(receiving, len(body) - 1)
            answer = httpx.post(receiving.url("traces"), content=body, headers=PROTOBUF)
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
            assert status_of(answer)[0] == 8
            first.sendall(body[-1:])
            assert first.recv(100).startswith(b"HTTP/1.1 200 ")
        assert httpx.post(receiving.url("traces"), content=body, headers=PROTOBUF).status_code == 200
        assert receiving.count("receive_in_flight_bytes") == 0


def wait_for_bytes(receiving: Receiving, size_bytes: int) -> None:
    """Returns when unfinished requests hold so many bytes; the test's time limit bounds the wait."""
    while receiving.count("receive_in_flight_bytes") < size_bytes:
        receiving.run(receiving.turn())


def test_a_sender_that_goes_away_leaves_nothing_behind(tight: Receiving) -> None:
    """Half a body and a closed connection: no record, no held bytes, no refusal."""
    before = tight.records(Signal.TRACES)
    with open_post(tight, 1000, bytes(500)):
        wait_for_bytes(tight, 500)
    while tight.count("receive_in_flight_bytes"):
        tight.run(tight.turn())
    assert tight.records(Signal.TRACES) == before


def test_requests_on_one_connection_follow_each_other(tight: Receiving) -> None:
    """Refused or not, the connection is kept."""
    with httpx.Client() as client:
        codes = [
            client.post(tight.url("traces"), content=body, headers=PROTOBUF).status_code
            for body in (traces(), b"bad", traces(51), traces())
        ]
    assert codes == [200, 400, 413, 200]


def test_an_error_that_nobody_foresaw_is_500_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """INTERNAL, counted, with the traceback in the collector's own log and not in the answer."""
    with Receiving(tmp_path) as receiving:
        receiving.door.take = None  # type: ignore[method-assign, assignment]
        answer = httpx.post(receiving.url("traces"), content=traces(), headers=JSON)
        assert answer.status_code == 400
        answer = httpx.post(receiving.url("traces"), content=b"{}", headers=JSON)
        assert answer.status_code == 500
        assert status_of(answer)[0] == 13
        assert receiving.count("receive_refused_requests_total", signal="traces", reason="internal") == 1
    assert "NoneType" in caplog.text
    assert "NoneType" not in answer.text
