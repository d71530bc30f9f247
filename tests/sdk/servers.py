"""Real servers on loopback: one takes OTLP as a collector does, one answers as a chat model does."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from served import served


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up early is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers["content-length"]))


@dataclass
class OtlpSink:
    """Decodes and keeps what it is sent. `delay_s` is how long a request takes; `status` what it answers."""

    url: str = ""
    delay_s: float = 0.0
    status: int = 200
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    traces: list[ExportTraceServiceRequest] = field(default_factory=list)
    log_requests: list[ExportLogsServiceRequest] = field(default_factory=list)
    refusals: int = 0

    @property
    def spans(self) -> list[Any]:
        return [s for r in self.traces for rs in r.resource_spans for ss in rs.scope_spans for s in ss.spans]

    @property
    def logs(self) -> list[Any]:
        return [
            record
            for request in self.log_requests
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]


def attributes_of(item: Any) -> dict[str, Any]:
    """The attributes of a decoded span or log record as Python values."""
    return {pair.key: _value(pair.value) for pair in item.attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, kind) if kind else None


class _Sink(_Handler):
    """Keeps what `taken` is sent, or refuses it."""

    def __init__(self, taken: OtlpSink, *connection: Any) -> None:
        self.taken = taken
        super().__init__(*connection)

    def do_POST(self) -> None:
        body = self.body()
        time.sleep(self.taken.delay_s)  # the server's own slowness, which is what is tested
        if self.taken.status == 200:
            self.keep(body)
        else:
            self.taken.refusals += 1
        self.send_response(self.taken.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def keep(self, body: bytes) -> None:
        self.taken.paths.append(self.path)
        self.taken.headers.append({name.lower(): value for name, value in self.headers.items()})
        if self.path == "/v1/traces":
            self.taken.traces.append(ExportTraceServiceRequest.FromString(body))
        else:
            self.taken.log_requests.append(ExportLogsServiceRequest.FromString(body))


def otlp_sink(port: int = 0) -> Iterator[OtlpSink]:
    """An OTLP/HTTP collector on this port, or a free one."""
    taken = OtlpSink()
    with served(_Server(("127.0.0.1", port), partial(_Sink, taken))) as address:
        taken.url = f"http://{address}"
        yield taken


@dataclass
class ChatModel:
    """Answers `script` in turn (the last one for ever); keeps the requests.

    A script entry is a function of the request that returns a status, a JSON body, or a list of chunks; in a
    list, a number is a pause in seconds and None cuts the connection.
    """

    base_url: str = ""  # of OpenAI's client
    root_url: str = ""  # of the others'
    requests: list[dict[str, Any]] = field(default_factory=list)
    script: list[Callable[[dict[str, Any]], tuple[int, Any]]] = field(default_factory=list)


def completion(**changes: Any) -> dict[str, Any]:
    """A whole answer with cached and reasoning tokens."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Hello there"}, "finish_reason": "stop"}
        ],
        "usage": USAGE,
        **changes,
    }


USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "prompt_tokens_details": {"cached_tokens": 800},
    "completion_tokens_details": {"reasoning_tokens": 30},
}


def chunk(delta: dict[str, Any] | None, finish: str | None = None, usage: Any = None) -> dict[str, Any]:
    """One chunk of a streamed answer; without a delta it is the usage-only one."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    head = {
        "id": "chatcmpl-2",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
    }
    return {**head, "choices": choices, **({"usage": usage} if usage else {})}


ROLE = chunk({"role": "assistant", "content": ""})
HELLO, THERE = chunk({"content": "Hello"}), chunk({"content": " there"})
STOP, USAGE_ONLY = chunk({}, "stop"), chunk(None, usage=USAGE)


def streamed(request: dict[str, Any]) -> tuple[int, Any]:
    """A stream as OpenAI sends it: usage only for those who ask."""
    asked = (request.get("stream_options") or {}).get("include_usage")
    return 200, [ROLE, HELLO, THERE, STOP, *([USAGE_ONLY] if asked else [])]


class _Answering(_Handler):
    """Answers as the script of `chat` says."""

    def __init__(self, chat: ChatModel, *connection: Any) -> None:
        self.chat = chat
        super().__init__(*connection)

    def do_POST(self) -> None:
        request = json.loads(self.body())
        self.chat.requests.append(request)
        script = self.chat.script
        status, body = (script.pop(0) if len(script) > 1 else script[0])(request)
        if isinstance(body, list):
            self.stream(body)
        else:
            self.whole(status, json.dumps(body).encode())

    def whole(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, chunks: list[Any]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for item in chunks:
            if item is None:
                self.close_connection = True
                return
            if isinstance(item, int | float):
                time.sleep(item)  # the model's own pace, which is what is measured
            else:
                self.event(json.dumps(item), item.get("type"))
        if self.path.endswith("/chat/completions"):
            self.event("[DONE]", None)
        self.wfile.write(b"0\r\n\r\n")

    def event(self, data: str, kind: str | None) -> None:
        """Anthropic's events, and those of OpenAI's responses, are named by their type."""
        event = (f"event: {kind}\n" if kind else "").encode() + f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.wfile.flush()


def chat_model() -> Iterator[ChatModel]:
    """A model's server on a free port: OpenAI's protocols, Anthropic's or Google's, as its script answers."""
    chat = ChatModel()
    with served(_Server(("127.0.0.1", 0), partial(_Answering, chat))) as address:
        chat.root_url = f"http://{address}"
        chat.base_url = f"{chat.root_url}/v1"
        yield chat
