"""Calls that nobody serves, and what a server that took them would lose."""

import asyncio
import socket

import grpc
import pytest
from collector.receive.receiving import Receiving

from sightline_collector.receive.grpc import SERVICES
from sightline_collector.receive.grpc_strangers import _Core, server
from sightline_collector.wal.segment import Signal

EXPORT = f"/{SERVICES[Signal.TRACES]}/Export"
HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
ANSWER_S = 10.0


def called(path: bytes) -> bytes:
    """An HTTP/2 connection of one gRPC call with an empty message, in HPACK's literals."""
    fields = b"\x83\x86\x04" + bytes([len(path)]) + path + b"\x01\x09localhost"
    fields += b"\x0f\x10\x10application/grpc" + b"\x00\x02te\x08trailers"
    head = len(fields).to_bytes(3, "big") + b"\x01\x04\x00\x00\x00\x01" + fields
    return HELLO + head + b"\x00\x00\x05\x00\x01\x00\x00\x00\x01" + bytes(5)


def sent(receiving: Receiving, data: bytes) -> bytes:
    """What comes back until the call is answered."""
    came = b""
    with socket.create_connection(("127.0.0.1", receiving.grpc.port), ANSWER_S) as connection:
        connection.sendall(data)
        while b"grpc-status" not in came:
            came += connection.recv(1 << 16)
    return came


def export(receiving: Receiving) -> bytes:
    with grpc.insecure_channel(receiving.target()) as channel:
        answer: bytes = channel.unary_unary(EXPORT)(b"", timeout=ANSWER_S)
    return answer


@pytest.mark.parametrize("path", [b"/no.such.Service/\xff\xfe", EXPORT.encode()[:-1] + b"\xe5", b"/\x80"])
def test_a_path_that_is_no_text_is_unimplemented_and_ends_nothing(receiving: Receiving, path: bytes) -> None:
    """grpc.aio's own server takes no call any more after one of these."""
    for _ in range(3):
        # UNIMPLEMENTED is 12; the key and the value are literals, each after its length.
        assert b"grpc-status\x0212" in sent(receiving, called(path))
    assert export(receiving) == b""


def test_the_installed_grpc_has_what_this_rests_on() -> None:
    """Where a version of grpc.aio has other names for it, its own server would be used."""

    async def made() -> object:
        return server([])._server

    assert isinstance(asyncio.run(made()), _Core)
