"""What strangers may take of the ports, and what keys may send on a day, across a new start."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import grpc
import httpx
import pytest
from collector.access.keeping_keys import Kept
from collector.receive.receiving import WAIT_S, Receiving
from collector.receive.test_serve import read_to_end
from google.protobuf import json_format
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from prometheus_client import CollectorRegistry

from sightline_collector.access.day_bytes import DayBytes
from sightline_collector.access.key import Scope
from sightline_collector.receive import answer
from sightline_collector.receive.connections import ConnectionMetrics, Connections
from sightline_collector.receive.grpc import SERVICES, options
from sightline_collector.receive.http import OtlpHttp
from sightline_collector.receive.serve import Serving, serve_http
from sightline_collector.wal.segment import Signal


class Small:
    """A port that holds two connections, and its counters."""

    def __init__(self, receiving: Receiving, head_wait_s: float = 1.0) -> None:
        self.registry = CollectorRegistry()
        bounds = Connections("otlp", ConnectionMetrics(self.registry), limit=2)
        app = OtlpHttp(receiving.door)
        self.serving: Serving = receiving.run(
            serve_http(
                app,
                "OTLP/HTTP",
                "127.0.0.1",
                0,
                head_wait_s=head_wait_s,
                bounds=bounds,
                refusal=answer.http_refusal,
            )
        )

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.serving.port), timeout=WAIT_S)

    def count(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"sightline_connections{name}", {"port": "otlp", **labels})


@pytest.fixture
def receiving(tmp_path: Path) -> Iterator[Receiving]:
    with Receiving(tmp_path / "log") as running:
        yield running


def test_one_connection_too_many_is_told_to_come_back(receiving: Receiving) -> None:
    """503 with the time to wait, counted; once another is gone, the next one gets in."""
    small = Small(receiving)
    with small.connect() as first, small.connect():
        with small.connect() as third:
            assert read_to_end(third).startswith(b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 2\r\n")
        assert (small.count(""), small.count("_limit")) == (2, 2)
        assert small.count("_cut_total", reason="too_many") == 1
        assert read_to_end(first) == b""  # a silent one is cut off after its time, too
    assert small.count("_cut_total", reason="slow_head") in (1, 2)  # the second may have been closed by us
    url = f"http://127.0.0.1:{small.serving.port}/v1/traces"
    headers = {"content-type": "application/x-protobuf"}
    assert httpx.post(url, content=b"", headers=headers).status_code == 200
    receiving.run(small.serving.stop(0))


def test_one_connection_too_many_is_told_so_in_its_own_type(receiving: Receiving) -> None:
    """UNAVAILABLE with RetryInfo, as JSON to who sends JSON; over HTTP/2 the connection ends at once."""
    small = Small(receiving, head_wait_s=WAIT_S)
    url = f"http://127.0.0.1:{small.serving.port}/v1/traces"
    with small.connect(), small.connect():
        for content_type in ("application/json", "application/x-protobuf"):
            refused = httpx.post(url, content=b"{}", headers={"content-type": content_type})
            assert (refused.status_code, refused.headers["content-type"]) == (503, content_type)
            said = (
                json_format.Parse(refused.content, Status())
                if content_type.endswith("json")
                else Status.FromString(refused.content)
            )
            assert said.code == 14
            assert any(detail.Is(RetryInfo.DESCRIPTOR) for detail in said.details)
        with httpx.Client(http1=False, http2=True) as client, pytest.raises(httpx.TransportError):
            client.post(url, content=b"{}")
    receiving.run(small.serving.stop(0))


def test_a_head_without_end_is_counted(receiving: Receiving) -> None:
    """What is cut off for its size is told apart from what is too slow."""
    small = Small(receiving)
    with small.connect() as connection:
        connection.sendall(b"POST /v1/traces HTTP/1.1\r\nx: ")
        connection.sendall(b"a" * 1000)
        with suppress(ConnectionError):
            for _ in range(100):
                connection.sendall(b"a" * 1000)
            read_to_end(connection)
    assert small.count("_cut_total", reason="large_head") == 1
    receiving.run(small.serving.stop(0))


def test_calls_beyond_those_of_a_connection_are_told_to_come_back(receiving: Receiving) -> None:
    """Each is answered, or refused as UNAVAILABLE, which OTLP's senders try again; the port lives on."""
    streams = dict(options(receiving.door))["grpc.max_concurrent_streams"]

    async def flood() -> set[grpc.StatusCode]:
        async with grpc.aio.insecure_channel(receiving.target()) as channel:
            call = channel.unary_unary(f"/{SERVICES[Signal.TRACES]}/Export")
            calls = [call(b"", timeout=WAIT_S) for _ in range(streams + 500)]
            return {await each.code() for each in calls}

    assert asyncio.run(flood()) <= {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}
    with grpc.insecure_channel(receiving.target()) as channel:
        assert channel.unary_unary(f"/{SERVICES[Signal.TRACES]}/Export")(b"", timeout=WAIT_S) == b""


def test_a_days_bytes_outlive_the_process(tmp_path: Path) -> None:
    """A new start goes on counting; a damaged file, or another day's, begins anew."""
    kept = Kept(tmp_path)
    key, _ = kept.add(Scope.INGEST, bytes_per_day=1000)
    free, _ = kept.add(Scope.INGEST)
    path = tmp_path / "key-bytes.json"
    before = DayBytes(path, kept.gate)
    kept.gate.allowances[key.id].spend(1, 700)
    kept.gate.allowances[free.id].spend(1, 700)
    before.keep()
    again = Kept(tmp_path)
    DayBytes(path, again.gate)
    assert again.gate.allowances[key.id].day_bytes == 700
    assert again.gate.allowances[free.id].day_bytes == 0
    for damaged in ("", "[]", '{"x": 1}', f'{{"{key.id}": [0, 900]}}', f'{{"{key.id}": ["a", null]}}'):
        path.write_text(damaged)
        anew = Kept(tmp_path)
        DayBytes(path, anew.gate)
        assert anew.gate.allowances[key.id].day_bytes == 0
