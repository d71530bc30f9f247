"""OpenTelemetry written by hand: the stock provider, batch processor and OTLP/HTTP exporter, at defaults.

Content is written in the shape of OpenTelemetry's GenAI conventions; the attributes are Sightline's.
"""

from __future__ import annotations

import json

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind
from tests.bench.sdk_peer_step import (
    MODEL,
    PROVIDER,
    SESSION,
    USER,
    Completion,
    Messages,
    Observed,
    Sink,
    complete,
)

START = {
    "sightline.operation": "llm",
    "gen_ai.operation.name": "chat",
    "sightline.stage": "model_inference",
    "gen_ai.provider.name": PROVIDER,
    "gen_ai.request.model": MODEL,
    "user.id": USER,
    "session.id": SESSION,
    "gen_ai.conversation.id": SESSION,
}
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # as Sightline writes it


def start(sink: Sink) -> Observed:
    """Set it up, and observe."""
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{sink.url}/v1/traces")))
    tracer = provider.get_tracer("bench")

    def ask(messages: Messages) -> Completion:
        with tracer.start_as_current_span(f"chat {MODEL}", kind=SpanKind.CLIENT, attributes=START) as span:
            completion = complete(messages)
            _record(span, messages, completion)
            return completion

    return Observed(ask, provider.force_flush)


def _record(span: Span, messages: Messages, completion: Completion) -> None:
    usage, choices = completion["usage"], completion["choices"]
    said = [_said(message["role"], message["content"]) for message in messages]
    answered = [
        _said("assistant", choice["message"]["content"]) | {"finish_reason": choice["finish_reason"]}
        for choice in choices
    ]
    span.set_attributes(
        {
            "gen_ai.response.id": completion["id"],
            "gen_ai.response.model": completion["model"],
            "gen_ai.response.finish_reasons": [choice["finish_reason"] for choice in choices],
            "gen_ai.usage.input_tokens": usage["prompt_tokens"],
            "gen_ai.usage.output_tokens": usage["completion_tokens"],
            "gen_ai.usage.cache_read.input_tokens": usage["prompt_tokens_details"]["cached_tokens"],
            "gen_ai.input.messages": _json(said),
            "gen_ai.output.messages": _json(answered),
        }
    )


def _said(role: str, content: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": content}]}
