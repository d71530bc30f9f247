"""The spans of every measurement: fat model calls, the same in each run but for their times.

A span has 19 attributes and about 1.8 KB: who asked, which model, tokens, finish reason, and what was said.
Texts are words drawn from a vocabulary of 96, so they compress better than prose and worse than a template.
"""

from __future__ import annotations

import json
import random
import time

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from tests.bench.words import WORDS

SPANS = 512
"""Spans in a request: the OpenTelemetry SDK's own batch."""
SPREAD_NS = 3600 * 10**9
"""The spans of a corpus started within the last hour."""

MODELS = (
    ("openai", "gpt-4o", "gpt-4o-2024-08-06"),
    ("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
    ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
)
FEATURES = ("support", "search", "summary", "report")


def requests(count: int, spans: int = SPANS, seed: int = 7) -> list[bytes]:
    """OTLP trace requests, encoded. No two spans of a corpus are equal."""
    chance = random.Random(seed)
    first_ns = time.time_ns() - SPREAD_NS
    step_ns = SPREAD_NS // (count * spans)
    return [
        _request([_span(chance, first_ns + (n * spans + m) * step_ns) for m in range(spans)])
        for n in range(count)
    ]


def marked(trace_id: bytes) -> bytes:
    """A request of one fat span that is found by its trace id."""
    span = _span(random.Random(trace_id), time.time_ns())
    span.trace_id = trace_id
    return _request([span])


def _request(spans: list[Span]) -> bytes:
    resource_spans = ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])
    resource_spans.scope_spans[0].scope.name = "bench"
    resource_spans.resource.attributes.append(_pair("service.name", "shop-bot"))
    return bytes(ExportTraceServiceRequest(resource_spans=[resource_spans]).SerializeToString())


def _span(chance: random.Random, started_ns: int) -> Span:
    provider, model, answered = chance.choice(MODELS)
    values: dict[str, str | int | float | list[str]] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "gen_ai.response.model": answered,
        "gen_ai.response.id": f"chatcmpl-{chance.getrandbits(64):016x}",
        "gen_ai.request.temperature": 0.7,
        "gen_ai.request.max_tokens": 2048,
        "gen_ai.usage.input_tokens": chance.randint(500, 5000),
        "gen_ai.usage.output_tokens": chance.randint(1, 1500),
        "gen_ai.usage.cache_read.input_tokens": chance.randint(0, 400),
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.response.time_to_first_chunk": chance.random(),
        "gen_ai.input.messages": _said(chance, "user", 80),
        "gen_ai.output.messages": _said(chance, "assistant", 60),
        "gen_ai.conversation.id": f"c{chance.randint(0, 9999)}",
        "user.id": f"u{chance.randint(0, 999)}",
        "session.id": f"s{chance.randint(0, 9999)}",
        "sightline.feature": chance.choice(FEATURES),
        "server.address": f"api.{provider}.com",
    }
    return Span(
        trace_id=chance.randbytes(16),
        span_id=chance.randbytes(8),
        name=f"chat {model}",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=started_ns,
        end_time_unix_nano=started_ns + chance.randint(10**8, 10**10),
        attributes=[_pair(key, value) for key, value in values.items()],
    )


def _said(chance: random.Random, role: str, words: int) -> str:
    text = " ".join(chance.choices(WORDS, k=words))
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


def _pair(key: str, value: str | int | float | list[str]) -> KeyValue:
    if isinstance(value, list):
        parts = [AnyValue(string_value=v) for v in value]
        return KeyValue(key=key, value=AnyValue(array_value=ArrayValue(values=parts)))
    field = {str: "string_value", int: "int_value", float: "double_value"}[type(value)]
    return KeyValue(key=key, value=AnyValue(**{field: value}))
