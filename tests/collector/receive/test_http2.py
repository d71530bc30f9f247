"""HTTP/2 on the port of HTTP/1.1: the same answers, within the same bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from collector.receive.http2_peer import WAIT_S, Peer
from collector.receive.receiving import Receiving
from collector.receive.test_http import JSON, PROTOBUF, TIGHT, status_of, traces, wait_for_bytes
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, StreamReset
from hyperframe.frame import (
    DataFrame,
    HeadersFrame,
    RstStreamFrame,
)

from sightline_collector.receive import http2_exchange
from sightline_collector.receive.http2_frames import STREAMS_MAX, WINDOW_BYTES
from sightline_collector.receive.limits import Limits
from sightline_collector.wal.segment import Signal


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiving]:
    """A receiving collector with small limits, shared: no test here depends on what was sent before."""
    with Receiving(tmp_path_factory.mktemp("log"), TIGHT) as running:
        yield running


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(http1=False, http2=True) as opened:
        yield opened


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("POST", "/v1/traces", PROTOBUF, traces(), 200),
        ("POST", "/v1/logs", JSON, b"{}", 200),
        ("POST", "/v1/traces", PROTOBUF, b"bad", 400),
        ("POST", "/v1/traces", JSON, b"bad", 400),
        ("POST", "/v1/nothing", JSON, b"{}", 404),
        ("GET", "/v1/traces", PROTOBUF, b"", 405),
        ("POST", "/v1/traces", PROTOBUF, bytes(100_001), 413),
        ("POST", "/v1/traces", {"content-type": "text/plain"}, b"", 415),
        ("POST", "/v1/traces", {**JSON, "content-encoding": "br"}, b"{}", 415),
    ],
)
def test_http_2_is_answered_as_http_1_is(
    tight: Receiving,
    client: httpx.Client,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    status: int,
) -> None:
    """Status, type and body are the same; what belongs to a connection alone is left out."""
    url = tight.url("traces").replace("/v1/traces", path)
    over_2 = client.request(method, url, headers=headers, content=body)
    over_1 = httpx.request(method, url, headers=headers, content=body)
    assert (over_2.http_version, over_1.http_version) == ("HTTP/2", "HTTP/1.1")
    assert (
        (over_2.status_code, over_2.content)
        == (status, over_1.content)
        == (over_1.status_code, over_2.content)
    )
    left_out = {"connection", "date"}
    assert {k: v for k, v in over_2.headers.items() if k not in left_out} == {
        k: v for k, v in over_1.headers.items() if k not in left_out
    }


def test_a_body_larger_than_the_windows_is_taken(tmp_path: Path, client: httpx.Client) -> None:
    """The windows open again as the body is taken up; what is on disk is what was sent."""
    body = traces(1, "n" * 3 * WINDOW_BYTES)
    with Receiving(tmp_path) as receiving:
        sent = client.post(receiving.url("traces"), content=body, headers=PROTOBUF)
        assert sent.status_code == 200
        assert [bytes(stored) for stored, _ in receiving.records(Signal.TRACES)] == [body]


def test_many_streams_of_one_connection_are_answered(tmp_path: Path) -> None:
    """As many as are allowed at once, each begun before the first is whole."""
    body = traces(1, "n" * 400)
    with Receiving(tmp_path) as receiving, Peer(receiving.http.port) as peer:
        streams = [peer.post() for _ in range(STREAMS_MAX)]
        for stream_id in streams:
            peer.h2.send_data(stream_id, body, end_stream=True)
        peer.push()
        assert {peer.answer(stream_id) for stream_id in streams} == {(200, b"")}
        assert len(receiving.records(Signal.TRACES)) == STREAMS_MAX


def test_an_answer_comes_before_its_request_is_whole(tight: Receiving) -> None:
    """A sender of too much reads its 413 while it still writes, and the connection goes on."""
    with Peer(tight.http.port) as peer:
        refused = peer.post(content_length="100001")
        assert peer.answer(refused)[0] == 413
        for size in [10_000] * 10 + [1]:
            peer.h2.send_data(refused, bytes(size), end_stream=size == 1)
        assert peer.answer(peer.post(traces())) == (200, b"")


@pytest.mark.parametrize("bound", ["DISCARDING_S", "DISCARDED_BYTES_MAX"])
def test_what_follows_a_refusal_is_thrown_away_within_bounds(
    tight: Receiving, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    """Of time and of bytes; then the stream is reset without blame, and the connection goes on."""
    monkeypatch.setattr(http2_exchange, bound, 0.05 if bound == "DISCARDING_S" else 10_000)
    with Peer(tight.http.port) as peer:
        refused = peer.post(content_length="70000000")
        assert peer.answer(refused)[0] == 413
        peer.send(DataFrame(refused, bytes(12_000)))
        while not peer.found(StreamReset, refused):
            assert peer.read()
        [reset] = peer.found(StreamReset, refused)
        assert isinstance(reset, StreamReset)
        assert reset.error_code == ErrorCodes.NO_ERROR
        assert peer.answer(peer.post(traces())) == (200, b"")


def test_a_body_that_stops_coming_is_408(tight: Receiving) -> None:
    """A stream that dribbles holds its room for a bounded time only."""
    with Peer(tight.http.port) as peer:
        stream_id = peer.post()
        peer.h2.send_data(stream_id, b"\x0a")
        peer.push()
        assert peer.answer(stream_id)[0] == 408
    assert tight.count("receive_in_flight_bytes") == 0


def test_a_stream_that_is_reset_leaves_nothing_behind(tight: Receiving) -> None:
    """Cancelled in the middle of a body: no record, no held bytes; the connection goes on."""
    before = tight.records(Signal.TRACES)
    with Peer(tight.http.port) as peer:
        stream_id = peer.post()
        peer.h2.send_data(stream_id, bytes(500))
        peer.push()
        wait_for_bytes(tight, 500)
        peer.h2.reset_stream(stream_id)
        peer.push()
        while tight.count("receive_in_flight_bytes"):
            tight.run(tight.turn())
        assert tight.records(Signal.TRACES) == before
        assert peer.answer(peer.post(b"")) == (200, b"")


def test_bodies_beyond_the_room_for_all_are_429(tmp_path: Path) -> None:
    """Streams share the room with everyone: what does not fit is told to wait, as over HTTP/1.1."""
    body = traces(1, "n" * 80_000)
    limits = Limits(body_bytes=100_000, in_flight_bytes=100_000)
    with Receiving(tmp_path, limits) as receiving, Peer(receiving.http.port) as peer:
        stream_id = peer.post()
        for start in range(0, 60_000, 10_000):
            peer.h2.send_data(stream_id, body[start : start + 10_000])
        peer.push()
        wait_for_bytes(receiving, 60_000)
        with httpx.Client(http1=False, http2=True) as client:
            refused = client.post(receiving.url("traces"), content=body, headers=PROTOBUF)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert status_of(refused)[0] == 8


def test_stopping_answers_what_runs_and_refuses_what_is_new(tmp_path: Path) -> None:
    """GOAWAY comes first; the request that runs is acknowledged and on disk, a later one was never begun."""
    body, late = traces(1, "n" * 1000), traces(1, "late")
    with Receiving(tmp_path) as receiving, Peer(receiving.http.port) as peer:
        stream_id = peer.post()
        peer.h2.send_data(stream_id, body[:-1])
        peer.push()
        wait_for_bytes(receiving, len(body) - 1)
        stopped = receiving.start(receiving.http.stop(20))
        seen: list[object] = []
        while not any(isinstance(event, ConnectionTerminated) for event in seen):
            seen += peer.h2.receive_data(peer.socket.recv(1 << 16))
        later = HeadersFrame(stream_id + 2, peer.h2.encoder.encode(peer.head()), flags=["END_HEADERS"])
        peer.send(later, DataFrame(later.stream_id, late, flags=["END_STREAM"]))
        peer.send(DataFrame(stream_id, body[-1:], flags=["END_STREAM"]))
        came = peer.frames()
        stopped.result(WAIT_S)
        [reset] = [frame for frame in came if isinstance(frame, RstStreamFrame)]
        assert (reset.stream_id, reset.error_code) == (later.stream_id, ErrorCodes.REFUSED_STREAM)
        [head] = [frame for frame in came if isinstance(frame, HeadersFrame)]
        said = dict(peer.h2.decoder.decode(head.data, raw=True))
        assert (head.stream_id, said[b":status"]) == (stream_id, b"200")
        assert [bytes(stored) for stored, _ in receiving.records(Signal.TRACES)] == [body]


def test_a_stop_does_not_wait_for_idle_connections(tmp_path: Path) -> None:
    """Exporters keep theirs open for ever."""
    with Receiving(tmp_path) as receiving, Peer(receiving.http.port) as peer:
        assert peer.answer(peer.post(traces())) == (200, b"")
        receiving.run(asyncio.wait_for(receiving.http.stop(20), 5))
        assert peer.goodbye() == int(ErrorCodes.NO_ERROR)
