"""Many at once: connections that say nothing, requests that are all open, senders that are half gone."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import httpx
from collector.receive.http2_peer import Peer
from collector.receive.receiving import Receiving
from collector.receive.test_http import PROTOBUF, open_post, traces, wait_for_bytes

from sightline_collector.receive.connections import affordable
from sightline_collector.receive.http2_frames import STREAMS_MAX
from sightline_collector.receive.limits import Limits
from sightline_collector.wal.segment import Signal

IDLE = 300
CONCURRENT = 10 * STREAMS_MAX


def test_idle_connections_keep_nobody_from_sending(receiving: Receiving) -> None:
    """Hundreds that were opened and say nothing: the next request is answered as ever."""
    with ExitStack() as held:
        for _ in range(min(IDLE, affordable() // 2)):
            held.enter_context(socket.create_connection(("127.0.0.1", receiving.http.port), timeout=10))
        answer = httpx.post(receiving.url("traces"), content=traces(), headers=PROTOBUF)
        assert answer.status_code == 200
    assert httpx.post(receiving.url("traces"), content=traces(), headers=PROTOBUF).status_code == 200


def test_a_thousand_requests_at_once_are_all_taken(tmp_path: Path) -> None:
    """All are begun before any is whole; each is answered once, and on disk once."""
    names = [f"span {number}" for number in range(CONCURRENT)]
    with Receiving(tmp_path, Limits(body_wait_s=60)) as receiving, ExitStack() as held:
        peers = [held.enter_context(Peer(receiving.http.port)) for _ in range(CONCURRENT // STREAMS_MAX)]
        begun = [(peer, peer.post()) for peer in peers for _ in range(STREAMS_MAX)]
        for (peer, stream_id), name in zip(begun, names, strict=True):
            peer.h2.send_data(stream_id, traces(1, name), end_stream=True)
        for peer in peers:
            peer.push()
        assert {peer.answer(stream_id) for peer, stream_id in begun} == {(200, b"")}
        stored = [request.resource_spans[0] for request in receiving.on_disk(Signal.TRACES)]
        assert sorted(each.scope_spans[0].spans[0].name for each in stored) == sorted(names)
        assert receiving.count("receive_in_flight_bytes") == 0


def test_a_sender_that_is_half_gone_leaves_nothing_behind(receiving: Receiving) -> None:
    """It has closed its side in the middle of a body: no record, no held bytes."""
    with open_post(receiving, 1000, bytes(500)) as connection:
        wait_for_bytes(receiving, 500)
        connection.shutdown(socket.SHUT_WR)
        while receiving.count("receive_in_flight_bytes"):
            receiving.run(receiving.turn())
    assert receiving.records(Signal.TRACES) == []
