"""The way to the collector: what a transport makes of every answer."""

import gzip
import socket
import threading
import zlib
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from sdk.answers import drafts, sender, talking

from sightline import _safety
from sightline._delivery import deadline, http
from sightline._delivery import sender as sending
from sightline._delivery.refusal import NO_OTLP, UNREACHABLE, Refusal

# Made for this test, until 2126; the pass phrase is forgotten.
ENCRYPTED_KEY = """-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAi8jlmVr9gqJQICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEHz93HM7E1m+PBeamoSZ+5MEgZAI
SS/jfZZ87dGmmUmtwTP9/075qPjGiNWlj98rEDU7kfqBCKCmmL/cK1kSO9bDTWqY
NbFbsdM3CEBThUuysBfgIcAG8zTyXcUpi1Bmnzcztx3nmryG6eZNbQVvUWyxNEo4
XRKHflDck50Dz8Gc0C1koCuhWJIU5DNqlksqIeQAJVhcBOvR9eKTjcez9K2lgSI=
-----END ENCRYPTED PRIVATE KEY-----
"""
CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBcTCCARegAwIBAgIULun3ydnCVBowRnx7r2kvY7poFGAwCgYIKoZIzj0EAwIw
DTELMAkGA1UEAwwCbWUwIBcNMjYxMTIxMjEyOTM3WhgPMjEyNjEwMjgyMTI5Mzda
MA0xCzAJBgNVBAMMAm1lMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEVg/gN9hX
kMCIjZgF5SJEO2pgp5frlObcrlVoG0Vs60smExvWsPCZ0Vs+xVtSiTCdBTaWdb1j
81hbx6YXO88otKNTMFEwHQYDVR0OBBYEFEYaKFcEXkYNIDmJwT4pEfWQYGkqMB8G
A1UdIwQYMBaAFEYaKFcEXkYNIDmJwT4pEfWQYGkqMA8GA1UdEwEB/wQFMAMBAf8w
CgYIKoZIzj0EAwIDSAAwRQIhAIDya8rWDJCSwInlL5nTPLbHAUipqOWKYWg4yA8c
WXGzAiA0z81n2szhNs/on289XeaotbQgqGO43r9h3INUW9Ykow==
-----END CERTIFICATE-----
"""


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


def partly(success: ExportTracePartialSuccess) -> bytes:
    """An answer that says how much of a request was taken."""
    encoded: bytes = ExportTraceServiceResponse(partial_success=success).SerializeToString()
    return encoded


@pytest.mark.parametrize(
    ("said", "rejected"),
    [
        (b"", None),
        (ExportTraceServiceResponse().SerializeToString(), None),
        (partly(ExportTracePartialSuccess()), None),
        (partly(ExportTracePartialSuccess(error_message="careful")), None),
        (partly(ExportTracePartialSuccess(rejected_spans=2)), 2),
        (partly(ExportTracePartialSuccess(error_message="old", rejected_spans=300)), 300),
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


def slowly(connection: socket.socket, over: threading.Event) -> None:
    """An answer of which a byte comes now and then, for ever."""
    connection.recv(65_536)
    while not over.wait(0.01):
        connection.sendall(b"H")


def without_end(connection: socket.socket, over: threading.Event) -> None:
    """It was taken, and then much is said."""
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while not over.is_set():
        connection.sendall(b"10000\r\n" + b"a" * 65_536 + b"\r\n")


def half(connection: socket.socket, over: threading.Event) -> None:
    """It was taken, and what else was to be said never comes."""
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
    over.wait()


def as_grpc(connection: socket.socket, over: threading.Event) -> None:
    """What a gRPC port says first: the settings of HTTP/2."""
    connection.recv(65_536)
    connection.sendall(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x40\x00\r\n\r\n")
    over.wait()


def hanging_up(connection: socket.socket, over: threading.Event) -> None:
    """Not a word."""
    connection.recv(65_536)


@pytest.mark.parametrize(
    ("say", "reason"),
    [
        (slowly, UNREACHABLE),
        (without_end, None),
        (half, None),
        (as_grpc, NO_OTLP),
        (hanging_up, UNREACHABLE),
    ],
)
def test_a_strange_answer_ends_in_time(say: Any, reason: str | None) -> None:
    """However it drips, floods or breaks off: the timeout is for all of it, and the status decides."""
    with talking(say) as port:
        way = sender(f"http://127.0.0.1:{port}/v1/traces", timeout_s=0.3)
        refusal = way.spans(drafts(1), 1)
        way.close()
    assert (refusal and refusal.reason, way.reachable) == (reason, reason is None)
    assert refusal is None or refusal.later


def test_a_handshake_that_drips_ends_in_time() -> None:
    """The timeout is for all of TLS, too."""

    def drip(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        connection.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KB is to follow
        while not over.wait(0.01):
            connection.sendall(b"\x02")

    with talking(drip) as port:
        refusal = sender(f"https://127.0.0.1:{port}/v1/traces", timeout_s=0.3).spans(drafts(1), 1)
    assert refusal is not None
    assert (refusal.reason, refusal.later) == (UNREACHABLE, True)


def test_a_name_that_is_not_found_in_time_is_asked_for_once(
    monkeypatch: pytest.MonkeyPatch, answers: Any
) -> None:
    """A resolver that hangs holds up no request beyond its timeout, and its late answer is used."""
    asked, answered = [], threading.Event()

    def resolve(host: str, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        assert answered.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(deadline, "getaddrinfo", resolve)
    way = sender(answers.url.replace("127.0.0.1", "collector.invalid"), timeout_s=0.05)
    for _ in range(2):
        refusal = way.spans(drafts(1), 1)
        assert refusal is not None
        assert refusal.reason == UNREACHABLE
    answered.set()
    patient = sender(answers.url.replace("127.0.0.1", "collector.invalid"))
    assert (patient.spans(drafts(1), 1), asked) == (None, ["collector.invalid"] * 2)


def test_a_name_that_nobody_knows_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the system's own words."""

    def resolve(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(deadline, "getaddrinfo", resolve)
    refusal = sender("http://collector.invalid:1/v1/traces").spans(drafts(1), 1)
    assert refusal == Refusal(UNREACHABLE, later=True, detail="Name or service not known")


def test_every_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch, answers: Any) -> None:
    """A collector that listens at the second one only is reached."""

    def resolve(*_: object, **__: object) -> list[Any]:
        return [(0, 0, 0, "", (address, 0)) for address in ("127.0.0.2", "127.0.0.1")]

    monkeypatch.setattr(deadline, "getaddrinfo", resolve)
    assert sender(answers.url.replace("127.0.0.1", "collector.invalid")).spans(drafts(1), 1) is None


def test_an_address_of_ipv6_keeps_its_brackets() -> None:
    """The Host header is one that a server can read."""
    heard = b""

    def say(connection: socket.socket, over: threading.Event) -> None:
        nonlocal heard
        heard = connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    with talking(say, "::1") as port:
        way = sender(f"http://user@[::1]:{port}/v1/traces")
        assert way.spans(drafts(1), 1) is None
        way.close()
    assert f"\r\nhost: [::1]:{port}\r\n".encode() in heard.lower()


def test_a_pause_in_other_digits_is_none(answers: Any) -> None:
    """A Retry-After that only looks like a number is not read."""
    answers.status, answers.headers_sent = 503, {"retry-after": "\u00b2"}
    refusal = sender(answers.url).spans(drafts(1), 1)
    assert refusal is not None
    assert (refusal.reason, refusal.after_s) == ("refused_503", 0.0)


def test_a_proxy_without_a_scheme_is_one_of_http(answers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As curl and others read the variable."""
    monkeypatch.setenv("http_proxy", answers.url.removeprefix("http://").partition("/")[0])
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert sender("http://collector.invalid/v1/traces").spans(drafts(1), 1) is None
    assert len(answers.bodies) == 1


def test_a_fault_of_the_way_loses_nothing(monkeypatch: pytest.MonkeyPatch, answers: Any) -> None:
    """What the transport did not expect is a collector that is not there: the batch waits."""

    def broken(*_: object) -> None:
        raise RuntimeError("unexpected")

    monkeypatch.setattr(http, "_connection", broken)
    refusal = sender(answers.url).spans(drafts(1), 1)
    assert refusal == Refusal(UNREACHABLE, later=True, detail="RuntimeError")
    assert _safety.faults()[0] == {"send traces": 1}
    _safety.forget_faults()


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
def test_own_authorities_are_read_however_the_scheme_is_written(scheme: str) -> None:
    """A certificate that is not there is missed in either case."""
    refusal = sender(f"{scheme}://127.0.0.1:9/v1/traces", authorities="/no/such/ca.pem").spans(drafts(1), 1)
    assert refusal is not None
    assert "/no/such/ca.pem" in refusal.detail


def test_an_encrypted_client_key_is_refused_in_words(tmp_path: Path) -> None:
    """Nobody is asked for a pass phrase at the terminal: what is wrong is said, with the file."""
    (tmp_path / "c.pem").write_text(CERTIFICATE)
    (tmp_path / "k.pem").write_text(ENCRYPTED_KEY)
    files = {"certificate": str(tmp_path / "c.pem"), "key": str(tmp_path / "k.pem")}
    refusal = sender("https://127.0.0.1:9/v1/traces", **files).spans(drafts(1), 1)
    assert refusal is not None
    assert refusal.detail == (
        f"The client key is encrypted; name one that has no pass phrase: {tmp_path / 'k.pem'}"
    )
