"""HTTP/2 on the port of HTTP/1.1: the same answers, and what a peer may not do without end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from collector.receive.http2_peer import WAIT_S, Peer
from collector.receive.receiving import Receiving
from collector.receive.test_http import JSON, PROTOBUF, TIGHT, status_of, traces, wait_for_bytes
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, StreamReset
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from prometheus_client import CollectorRegistry

from sightline_collector.receive import answer, http2, http2_exchange
from sightline_collector.receive.connections import ConnectionMetrics, Connections
from sightline_collector.receive.http import OtlpHttp
from sightline_collector.receive.http2_frames import FIELDS_MAX, HEAD_BYTES_MAX, STREAMS_MAX, WINDOW_BYTES
from sightline_collector.receive.limits import Limits
from sightline_collector.receive.serve import Serving, serve_http
from sightline_collector.wal.segment import Signal

CALM = int(ErrorCodes.ENHANCE_YOUR_CALM)


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


class Watched:
    """A port whose connections wait a tenth of a second, and its counters."""

    def __init__(self, receiving: Receiving) -> None:
        self._receiving = receiving
        self.registry = CollectorRegistry()
        self.serving: Serving = receiving.run(
            serve_http(
                OtlpHttp(receiving.door),
                "OTLP/HTTP",
                "127.0.0.1",
                0,
                head_wait_s=0.3,
                bounds=Connections("otlp", ConnectionMetrics(self.registry)),
                refusal=answer.http_refusal,
            )
        )

    def cut(self, reason: str) -> float | None:
        labels = {"port": "otlp", "reason": reason}
        return self.registry.get_sample_value("sightline_connections_cut_total", labels)

    def close(self) -> None:
        self._receiving.run(self.serving.stop(0))


@pytest.fixture
def watched(tight: Receiving) -> Iterator[Watched]:
    port = Watched(tight)
    yield port
    port.close()


def lively(port: Watched) -> None:
    """The next connection is served."""
    with Peer(port.serving.port) as peer:
        assert peer.answer(peer.post(traces())) == (200, b"")


def test_rapid_resets_end_the_connection(watched: Watched) -> None:
    """CVE-2023-44487: streams that are begun and cancelled without end are told to calm down."""
    with Peer(watched.serving.port) as peer:
        for _ in range(40):
            for _ in range(50):
                stream_id = peer.h2.get_next_available_stream_id()
                peer.h2.send_headers(stream_id, peer.head())
                peer.h2.reset_stream(stream_id)
            try:
                peer.push()
            except OSError:
                break
        assert peer.goodbye() in (CALM, None)
    assert watched.cut("abusive") == 1
    lively(watched)


def settings(number: int) -> Frame:
    return SettingsFrame(0, settings={SettingCodes.INITIAL_WINDOW_SIZE: 65_535 + number % 2})


@pytest.mark.parametrize(
    "frame",
    [
        lambda number: PingFrame(0, opaque_data=number.to_bytes(8, "big")),
        settings,
        lambda _: DataFrame(1, b""),
        lambda number: PriorityFrame(3, depends_on=0, stream_weight=number % 200 + 1),
        lambda _: WindowUpdateFrame(0, window_increment=1),
        lambda _: WindowUpdateFrame(1, window_increment=1),
    ],
    ids=["pings", "settings", "empty data", "priorities", "windows", "a stream's windows"],
)
def test_frames_that_carry_nothing_end_the_connection(watched: Watched, frame: object) -> None:
    """CVE-2019-9512, -9515, -9518: each has to be answered or looked at, and none is a request."""
    assert callable(frame)
    with Peer(watched.serving.port) as peer:
        peer.post()
        peer.send(*(frame(number) for number in range(1500)))
        assert peer.goodbye() in (CALM, None)
    assert watched.cut("abusive") == 1
    lively(watched)


def test_resets_that_the_peer_provokes_count_as_its_own(watched: Watched) -> None:
    """CVE-2025-8671: windows that overflow make us reset the stream; so often is no accident."""
    with Peer(watched.serving.port) as peer:
        for number in range(300):
            peer.h2.send_headers(2 * number + 1, peer.head())
            with suppress(OSError):
                peer.push()
            peer.send(WindowUpdateFrame(2 * number + 1, window_increment=(1 << 31) - 1))
            if peer.closed:
                break
        assert peer.goodbye() in (CALM, None)
    assert watched.cut("abusive") == 1
    lively(watched)


def test_a_head_in_pieces_without_end_ends_the_connection(watched: Watched) -> None:
    """CVE-2024-27316: what continues a head is bounded."""
    with Peer(watched.serving.port) as peer:
        peer.send(HeadersFrame(1, b"\x00\x01x\x01x"))
        peer.send(*(ContinuationFrame(1, b"\x00\x01x\x01x") for _ in range(200)))
        assert peer.goodbye() is not None
    assert watched.cut("no_http") == 1
    lively(watched)


def test_a_head_is_not_held_beyond_its_bound(watched: Watched) -> None:
    """Pieces as large as a frame may be count by their bytes, long before they are too many."""
    with Peer(watched.serving.port) as peer:
        peer.send(HeadersFrame(1, b"\x00\x01x\x01x"))
        peer.send(*(ContinuationFrame(1, bytes(HEAD_BYTES_MAX // 2)) for _ in range(3)))
        assert peer.goodbye() in (CALM, None)
    assert watched.cut("no_http") == 1
    lively(watched)


@pytest.mark.parametrize("fields", [FIELDS_MAX, FIELDS_MAX + 1])
def test_a_head_has_a_bounded_number_of_fields(watched: Watched, fields: int) -> None:
    """One byte of HPACK may be a field that costs a hundred: beyond the bound nothing is made of them."""
    with Peer(watched.serving.port) as peer:
        head = [*peer.head(), *[("accept", "")] * (fields - len(peer.head()))]
        peer.h2.send_headers(1, head, end_stream=True)
        peer.push()
        if fields > FIELDS_MAX:
            assert peer.goodbye() == CALM
        else:
            assert peer.answer(1) == (200, b"")
    assert watched.cut("no_http") == (fields > FIELDS_MAX)
    lively(watched)


def test_heads_that_run_at_once_have_a_bound(tight: Receiving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream beyond it was never begun: refused, to be sent again; others are answered."""
    monkeypatch.setattr(http2, "HEADS_BYTES_MAX", 10_000)
    with Peer(tight.http.port) as peer:
        first, beyond = (peer.post(baggage="b" * 6000) for _ in range(2))
        while not peer.found(StreamReset, beyond):
            assert peer.read()
        [reset] = peer.found(StreamReset, beyond)
        assert isinstance(reset, StreamReset)
        assert reset.error_code == ErrorCodes.REFUSED_STREAM
        peer.h2.send_data(first, traces(), end_stream=True)
        peer.push()
        assert peer.answer(first) == (200, b"")
        assert peer.answer(peer.post(traces(), baggage="b" * 6000)) == (200, b"")


def test_a_head_that_is_too_large_ends_the_connection(watched: Watched) -> None:
    """A few bytes of HPACK may name a large field many times: the bound is on what they mean."""
    with Peer(watched.serving.port) as peer:
        head = [*peer.head(), *(("baggage", "b" * 4000) for _ in range(20))]
        peer.h2.send_headers(1, head, end_stream=True)
        peer.push()
        assert peer.goodbye() == CALM
    assert watched.cut("no_http") == 1
    lively(watched)


@pytest.mark.parametrize(
    "sent",
    [b"\xff" * 100, Frame.serialize(DataFrame(7, b"x")), Frame.serialize(HeadersFrame(2, b"\x82"))],
    ids=["noise", "data without a head", "an even stream"],
)
def test_what_is_no_http_2_ends_the_connection(watched: Watched, sent: bytes) -> None:
    """Told why, where the protocol has a word for it, and counted."""
    with Peer(watched.serving.port) as peer:
        peer.socket.sendall(sent)
        try:
            peer.goodbye()
        except ProtocolError:
            peer.closed = True
    assert watched.cut("no_http") == 1
    lively(watched)


@pytest.mark.parametrize("pings", [0, 5])
def test_a_connection_without_a_request_is_closed(watched: Watched, pings: int) -> None:
    """Whoever pings is as idle as who is silent."""
    with Peer(watched.serving.port) as peer:
        peer.send(*(PingFrame(0, opaque_data=bytes(8)) for _ in range(pings)))
        assert peer.goodbye() == int(ErrorCodes.NO_ERROR)
    assert watched.cut("slow_head") == 1


def test_an_answer_that_is_not_taken_is_given_up(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that keeps its window shut holds a stream for a bounded time."""
    monkeypatch.setattr(http2_exchange, "STALLED_S", 0.1)
    with Peer(watched.serving.port) as peer:
        peer.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
        stream_id = peer.post(b"bad")
        while not peer.found(StreamReset, stream_id):
            assert peer.read()


def test_an_answer_waits_for_its_window(watched: Watched) -> None:
    """A window that opens later, bit by bit, gets all of it."""
    with Peer(watched.serving.port) as peer:
        peer.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 10})
        stream_id = peer.post(b"bad")
        while not peer.events or not any(getattr(e, "data", None) for e in peer.events):
            assert peer.read()
        peer.h2.increment_flow_control_window(1 << 16, stream_id)
        peer.push()
        status, body = peer.answer(stream_id)
        assert (status, len(body) > 10) == (400, True)


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
