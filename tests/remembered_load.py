"""A client that remembers what was acknowledged: the oracle of every fault test."""

from __future__ import annotations

import http.client
import os
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

SPANS = 20
"""Spans in each request; all of one request share a trace id, which is how they are found again."""

TRACE = b"\xfa" * 16
SPAN_ATTRIBUTES: dict[str, AnyValue] = {
    "gen_ai.operation.name": AnyValue(string_value="chat"),
    "gen_ai.provider.name": AnyValue(string_value="openai"),
    "gen_ai.request.model": AnyValue(string_value="gpt-4o"),
    "gen_ai.usage.input_tokens": AnyValue(int_value=1000),
    "gen_ai.usage.output_tokens": AnyValue(int_value=10),
    "gen_ai.output.messages": AnyValue(string_value="x" * 500),
}


def request_template(now_ns: int, spans: int = SPANS) -> bytes:
    """An OTLP request whose trace ids are TRACE, to be replaced by another 16 bytes."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.append(
        KeyValue(key="service.name", value=AnyValue(string_value="load"))
    )
    scope_spans = resource_spans.scope_spans.add()
    for number in range(spans):
        span = scope_spans.spans.add(
            trace_id=TRACE, span_id=number.to_bytes(8, "big"), name="chat gpt-4o", kind=3,
            start_time_unix_nano=now_ns + number, end_time_unix_nano=now_ns + 10**9,
        )  # fmt: skip
        span.attributes.extend(KeyValue(key=k, value=v) for k, v in SPAN_ATTRIBUTES.items())
    return bytes(request.SerializeToString())


@dataclass
class RememberedLoad:
    """Threads that send until stopped. `acknowledged` holds the trace id of each request answered 200.

    `template` is what they send, with another 16 bytes for TRACE each time; `pause_s` is between two of them.
    """

    url: str
    threads: int = 4
    path: str = "/v1/traces"
    template: bytes = b""
    pause_s: float = 0.0
    acknowledged: set[str] = field(default_factory=set)
    sent: int = 0
    refused: int = 0

    def start(self) -> None:
        """Start sending."""
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.template = self.template or request_template(time.time_ns())
        self._running = [threading.Thread(target=self._send, daemon=True) for _ in range(self.threads)]
        for thread in self._running:
            thread.start()

    def stop(self) -> None:
        """Send no more; returns when every answer is in, or its connection broke."""
        self._stop.set()
        for thread in self._running:
            thread.join(30)
            assert not thread.is_alive()

    def _send(self) -> None:
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
        while not self._stop.is_set():
            trace = os.urandom(16)
            body = self.template.replace(TRACE, trace)
            try:
                connection.request("POST", self.path, body, {"Content-Type": "application/x-protobuf"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                if self._stop.wait(0.02):
                    return
                continue
            self._note(trace, answer.status)
            self._stop.wait(self.pause_s)
        connection.close()

    def _note(self, trace: bytes, status: int) -> None:
        with self._lock:
            self.sent += 1
            if status == 200:
                self.acknowledged.add(trace.hex())
            else:
                self.refused += 1
