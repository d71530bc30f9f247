"""Laws of what reads bytes without a socket: coverage-guided where atheris is installed."""

from __future__ import annotations

import gzip
import json
import tempfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import lz4.frame
import zstandard
from fuzz.target import Target
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sightline_collector.conformance import payload
from sightline_collector.errors import Malformed, SenderFault
from sightline_collector.gateway.encodings import PACKERS, inflated, preferred
from sightline_collector.gateway.statement import has_odd_names, has_word, take_apart
from sightline_collector.gateway.syntax import Unreadable, read_tree
from sightline_collector.receive.check import REQUESTS, check
from sightline_collector.receive.inflate import inflate
from sightline_collector.receive.limits import Limits
from sightline_collector.receive.otlp_json import to_protobuf
from sightline_collector.wal.folder import Folder, LeftFile
from sightline_collector.wal.recover import recover
from sightline_collector.wal.segment import Entry, Record, Signal, frame, read, records

SIGNALS = tuple(Signal)
LIMITS = Limits(body_bytes=1 << 20, items=500)
TIGHT = Limits(body_bytes=1 << 20, items=3, shared_bytes=100)
"""So little that a change or two of a known request is beyond it."""
WRITER = "0123456789abcdef" * 2
BATCH = 77
NOW_NS = 1_790_000_000_000_000_000
GATEWAY_BOUND = 1 << 20


def _signal(data: bytes) -> tuple[Signal, bytes]:
    """The first byte says which."""
    return SIGNALS[data[0] % len(SIGNALS)] if data else Signal.TRACES, data[1:]


def protobuf(data: bytes) -> None:
    """A request is refused as its sender's fault, or counted as protobuf itself counts it."""
    signal, body = _signal(data)
    with suppress(SenderFault):
        items = check(signal, body, TIGHT)
        request = REQUESTS[signal].FromString(body)
        assert items == _counted(signal, request) <= TIGHT.items, f"{items} items"


def _counted(signal: Signal, request: object) -> int:
    fields = {
        Signal.TRACES: ("resource_spans", "scope_spans", "spans"),
        Signal.LOGS: ("resource_logs", "scope_logs", "log_records"),
        Signal.METRICS: ("resource_metrics", "scope_metrics", "metrics"),
    }[signal]
    members = [request]
    for field in fields:
        members = [child for member in members for child in getattr(member, field)]
    if signal is not Signal.METRICS:
        return len(members)
    kinds = [(metric, metric.WhichOneof("data")) for metric in members]  # type: ignore[attr-defined]
    return sum(len(getattr(metric, kind).data_points) for metric, kind in kinds if kind)


def otlp_json(data: bytes) -> None:
    """JSON is refused as its sender's fault, or becomes protobuf; nothing else happens."""
    signal, text = _signal(data)
    with suppress(Malformed):
        body = to_protobuf(signal, text)
        with suppress(SenderFault):
            check(signal, body, LIMITS)


CODINGS = ("gzip", "deflate", "zstd", "lz4", "identity")


def encodings(data: bytes) -> None:
    """Both ports inflate to the same bytes or refuse, and never beyond the bound."""
    coding, body = CODINGS[data[0] % len(CODINGS)] if data else "gzip", data[1:]
    received = asked = None
    with suppress(SenderFault):
        received = inflate(body, coding, LIMITS)
    with suppress(ValueError):
        asked = inflated(body, coding, GATEWAY_BOUND)
    for plain in (received, asked):
        assert plain is None or len(plain) <= max(GATEWAY_BOUND, len(body))
    # The SQL port may be sent no statement in any coding, and gzip with zeros behind it, as tar pads it.
    if asked is not None and coding != "lz4" and body and not body.endswith(b"\0"):
        assert received == asked, f"{coding}: {received!r:.80} or {asked!r:.80}"


def accept_encoding(data: bytes) -> None:
    """The coding to answer in was asked for, is not ruled out, and is read again as it was packed."""
    text = data.decode("latin-1")
    chosen = preferred(text)
    assert chosen in ("", *PACKERS)
    assert chosen in text.lower()
    assert not chosen or preferred(f"{text}, {chosen};q=0") != chosen
    if chosen:
        packer = PACKERS[chosen]()
        assert inflated(packer.compress(data) + packer.flush(), chosen, GATEWAY_BOUND) == data


def segment(data: bytes) -> None:
    """Records and damage lie end to end and cover each byte once."""
    found = list(read(data, BATCH))
    ends = [one.end for one in found]
    assert [one.start for one in found] == [0, *ends[:-1]][: len(found)]
    assert not data or ends[-1] == len(data)


def recovery(data: bytes) -> None:
    """What recovery leaves is whole, and has every whole record of the file that a process left."""
    whole = [bytes(one.framed(data)) for one in records(data, BATCH)]
    with tempfile.TemporaryDirectory() as name:
        assert _recovered(Path(name) / "wal", data) == whole


def _recovered(path: Path, data: bytes) -> list[bytes]:
    folder = Folder(path)
    try:
        file = folder.segment_path(Signal.TRACES, BATCH, "open")
        file.write_bytes(data)
        left = LeftFile(file, Signal.TRACES, BATCH, len(data), NOW_NS)
        done = recover(folder, left)
        if done.segment is None:
            return []
        content = done.segment.path.read_bytes()
        assert all(isinstance(one, Record) for one in read(content, BATCH))
        return [bytes(one.framed(content)) for one in records(content, BATCH)]
    finally:
        folder.close()


def statement(data: bytes) -> None:
    """A spelled statement and a printed tree are taken apart or refused; nothing else happens."""
    text = data.decode(errors="replace")
    parted = take_apart(text)
    assert text.startswith(parted.body)
    has_word(text, "OUTFILE")
    has_odd_names(text)
    with suppress(Unreadable):
        assert sum(1 for _ in read_tree(text).walk()) == text.count("\n") + 1


def _each_signal(bodies: Sequence[bytes]) -> list[bytes]:
    return [bytes([number]) + body for body in bodies for number in range(len(SIGNALS))]


def _packed(body: bytes) -> list[bytes]:
    packed = (
        gzip.compress(body, mtime=0),
        zlib.compress(body),
        zstandard.compress(body),
        lz4.frame.compress(body),
        body,
    )
    return [bytes([number]) + one for number, one in enumerate(packed)]


def _segment(*bodies: bytes) -> bytes:
    framed = [(frame(Entry(body, 1, "default", NOW_NS), BATCH, WRITER), body) for body in bodies]
    return b"".join(length + body + trailer for (length, trailer), body in framed)


def _beyond() -> list[bytes]:
    """Requests with a resource, scope, item or data point too many, or too many bytes that items share."""
    spans = ExportTraceServiceRequest.FromString(payload.traces())
    points = ExportMetricsServiceRequest.FromString(payload.metrics())
    scopes = spans.resource_spans[0].scope_spans
    scopes.extend([scopes[0]] * TIGHT.items)
    gauge = points.resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points
    gauge.extend([gauge[0]] * TIGHT.items)
    items = [payload.spans(*[Span()] * count) for count in (TIGHT.items, TIGHT.items + 1)]
    resources = payload.traces() * (TIGHT.items + 1)
    return [resources, spans.SerializeToString(), points.SerializeToString(), *items]


FULL = payload.traces(attributes=payload.every_value())
PROTOBUF = [payload.traces(), payload.metrics(), payload.logs(), FULL, b""]
JSON = [
    payload.json_traces(attributes=payload.json_every_value(), status={"code": 1}),
    payload.of("metrics", payload.JSON),
    payload.of("logs", payload.JSON),
    json.dumps({"resourceSpans": [{"resource": {"attributes": payload.json_every_value()}}]}).encode(),
]
SEGMENTS = [_segment(FULL), _segment(b"a", FULL, _segment(b"inner")), b"", bytes(99)]
TREE = b"SelectWithUnionQuery (children 1)\n ExpressionList (children 1)\n  SelectQuery"

TARGETS = (
    Target("protobuf", protobuf, _each_signal([*PROTOBUF, *_beyond()])),
    Target(
        "json",
        otlp_json,
        _each_signal(JSON),
        [
            b'"',
            b"{",
            b"}",
            b"[",
            b"]",
            b"null",
            b"1e999",
            b"NaN",
            b"\\ud800",
            b"-0",
            b"1e-9",
            b'"traceId":',
            b'""',
            b"\xed\xa0\x80",
        ],
    ),
    Target("encodings", encodings, [one for body in (FULL, b"", bytes(4000)) for one in _packed(body)]),
    Target(
        "accept-encoding",
        accept_encoding,
        [b"gzip, deflate, br, zstd", b"lz4;q=0.5,gzip;q=0,*", b""],
        [b",", b";q=", b"0.001", b"nan", b"inf", b"-1", b"1e999", *map(str.encode, PACKERS)],
    ),
    Target("segment", segment, SEGMENTS),
    Target("recovery", recovery, SEGMENTS),
    Target(
        "statement",
        statement,
        [b"SELECT 1 SETTINGS max_threads = 1 FORMAT JSON", b"SELECT '\\'' FROM `a\\nb` FORMAT `CSV`", TREE],
        [
            b" SETTINGS ",
            b" FORMAT ",
            b"'",
            b"`",
            b"\\",
            b"\n ",
            b" (children 1)",
            b" (alias a)",
            b"OUTFILE",
            b" = ",
        ],
    ),
)
