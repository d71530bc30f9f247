"""What a peer of HTTP/2 may not do without end: the connection goes, the port stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from collector.receive.http2_peer import Peer
from collector.receive.receiving import Receiving
from collector.receive.test_http import TIGHT, traces
from h2.errors import ErrorCodes
from h2.events import StreamReset
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from prometheus_client import CollectorRegistry

from sightline_collector.receive import answer, http2, http2_exchange
from sightline_collector.receive.connections import ConnectionMetrics, Connections
from sightline_collector.receive.http import OtlpHttp
from sightline_collector.receive.http2_frames import FIELDS_MAX, HEAD_BYTES_MAX
from sightline_collector.receive.serve import Serving, serve_http

CALM = int(ErrorCodes.ENHANCE_YOUR_CALM)


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiving]:
    """A receiving collector with small limits, shared: no test here depends on what was sent before."""
    with Receiving(tmp_path_factory.mktemp("log"), TIGHT) as running:
        yield running


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
        lambda _: DataFrame(1, b"x"),
        lambda number: PriorityFrame(3, depends_on=0, stream_weight=number % 200 + 1),
        lambda _: WindowUpdateFrame(0, window_increment=1),
        lambda _: WindowUpdateFrame(1, window_increment=1),
    ],
    ids=["pings", "settings", "empty data", "a byte of data", "priorities", "windows", "a stream's windows"],
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
