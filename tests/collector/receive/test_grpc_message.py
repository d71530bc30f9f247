"""gRPC messages that are on their way: whose they are, how many there may be, and for how long."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from collector.access.keeping_keys import Kept
from collector.receive.receiving import Receiving
from collector.receive.test_grpc_strangers import HELLO
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from sightline_collector.access.key import Scope
from sightline_collector.receive import grpc as receiving_grpc
from sightline_collector.receive import grpc_message
from sightline_collector.receive.door import Door
from sightline_collector.receive.grpc import SERVICES
from sightline_collector.receive.limits import Limits
from sightline_collector.wal.segment import Signal

EXPORT = f"/{SERVICES[Signal.TRACES]}/Export"
TWO = Limits(on_their_way_bytes=2 * Limits().body_bytes)
WAIT_S = 20.0


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_message, "AT_ONCE_S", 0.02)


class Held:
    """Calls whose message does not come until it is let go."""

    def __init__(self, receiving: Receiving, **metadata: str) -> None:
        self._channel = grpc.insecure_channel(receiving.target())
        self._go = threading.Event()
        self._metadata = tuple(metadata.items())

    def __enter__(self) -> Held:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()
        self._channel.close()

    def call(self) -> grpc.Future:
        """One more, which waits."""
        method = self._channel.stream_unary(EXPORT)
        return method.future(self._message(), timeout=WAIT_S, metadata=self._metadata)

    def let_go(self) -> None:
        """The messages come now."""
        self._go.set()

    def _message(self) -> Iterator[bytes]:
        self._go.wait(WAIT_S)
        yield b""


def code(call: grpc.Future) -> grpc.StatusCode:
    """How it was answered, as soon as it is."""
    call.exception(WAIT_S)
    found: grpc.StatusCode = call.code()
    return found


def test_who_has_no_key_is_refused_before_a_message_is_taken_in(tmp_path: Path) -> None:
    """The key is looked at with the head of the call: nothing of a stranger's message is waited for."""
    kept = Kept(tmp_path)
    kept.add(Scope.INGEST)
    with Receiving(tmp_path / "log", gate=kept.gate) as receiving, Held(receiving) as held:
        assert code(held.call()) is grpc.StatusCode.UNAUTHENTICATED
        assert receiving.count("fullness_ratio", input="messages") == 0


def test_so_many_messages_may_be_on_their_way(tmp_path: Path) -> None:
    """Further ones are told when to come again; what was on its way is taken, and leaves its place."""
    with Receiving(tmp_path, TWO) as receiving, Held(receiving) as held:
        calls = [held.call() for _ in range(3)]
        refused = _first_done(receiving, calls)
        assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        details = dict(refused.trailing_metadata())["grpc-status-details-bin"]
        assert any(detail.Is(RetryInfo.DESCRIPTOR) for detail in Status.FromString(details).details)
        assert receiving.count("fullness_refused_requests_total", input="messages") == 1
        held.let_go()
        assert [code(call) for call in calls if call is not refused] == [grpc.StatusCode.OK] * 2
        assert receiving.count("fullness_ratio", input="messages") == 0


def test_a_message_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    """As a body over HTTP that is not whole in its time."""
    with Receiving(tmp_path, Limits(body_wait_s=0.1)) as receiving, Held(receiving) as held:
        assert code(held.call()) is grpc.StatusCode.DEADLINE_EXCEEDED
        assert receiving.count("fullness_ratio", input="messages") == 0


def test_a_call_without_a_message_is_no_request(receiving: Receiving) -> None:
    """It is answered INVALID_ARGUMENT, and counted as nobody's loss."""
    with grpc.insecure_channel(receiving.target()) as channel:
        call = channel.stream_unary(EXPORT).future(iter(()), timeout=WAIT_S)
        assert code(call) is grpc.StatusCode.INVALID_ARGUMENT
    assert receiving.count("receive_refused_requests_total", signal="traces", reason="malformed") == 0


def test_a_refused_message_is_let_go_with_its_answer(
    receiving: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes are free at once, not when Python next looks for cycles."""
    gone = threading.Event()

    class Told(bytes):
        def __del__(self) -> None:
            gone.set()

    async def told(door: Door, context: object) -> bytes:
        return Told(await grpc_message.message_of(door, context))

    monkeypatch.setattr(receiving_grpc, "message_of", told)
    gc.disable()
    try:
        with grpc.insecure_channel(receiving.target()) as channel, pytest.raises(grpc.RpcError):
            channel.unary_unary(EXPORT)(b"no request", timeout=WAIT_S)
        assert gone.wait(WAIT_S / 4)
    finally:
        gc.enable()


def _first_done(receiving: Receiving, calls: list[grpc.Future]) -> grpc.Future:
    async def done() -> grpc.Future:
        while not (found := [call for call in calls if call.done()]):
            await receiving.turn()
        return found[0]

    return receiving.run(done())


@pytest.mark.parametrize("held", [False, True], ids=["at once", "while it had a place"])
def test_a_sender_that_goes_away_within_a_message_leaves_nothing(
    receiving: Receiving, caplog: pytest.LogCaptureFixture, held: bool
) -> None:
    """Its place is free, and nothing is logged or counted: nobody waits for an answer."""
    fields = b"\x83\x86\x04" + bytes([len(EXPORT)]) + EXPORT.encode() + b"\x01\x09localhost"
    fields += b"\x0f\x10\x10application/grpc" + b"\x00\x02te\x08trailers"
    begun = len(fields).to_bytes(3, "big") + b"\x01\x04\x00\x00\x00\x01" + fields
    begun += b"\x00\x00\x06\x00\x00\x00\x00\x00\x01" + b"\x00" + (1 << 20).to_bytes(4, "big") + b"\x0a"
    with socket.create_connection(("127.0.0.1", receiving.grpc.port), WAIT_S) as connection:
        connection.sendall(HELLO + begun)
        if held:
            receiving.run(_until(receiving, 1 / receiving.door.limits.messages))
    receiving.run(_until(receiving, 0.0))
    with grpc.insecure_channel(receiving.target()) as channel:
        assert channel.unary_unary(EXPORT)(b"", timeout=WAIT_S) == b""
    assert receiving.count("receive_refused_requests_total", signal="traces", reason="internal") == 0
    assert caplog.text == ""


async def _until(receiving: Receiving, share: float) -> None:
    """Messages take that share of their places."""
    while receiving.count("fullness_ratio", input="messages") != share:
        await receiving.turn()
