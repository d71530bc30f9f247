"""Traceloop (OpenLLMetry): `track_llm_call`, its way to report a model call that nobody instruments.

Its decorators know nothing of models; one around the call would make a second span. It imports httpx without
requiring it. Not its default: it would report its use to its maker.
"""

from __future__ import annotations

from tests.bench.sdk_peer_step import (
    MODEL,
    PROVIDER,
    SESSION,
    USER,
    Messages,
    Observed,
    Sink,
    complete,
    text_of,
)
from traceloop.sdk import Traceloop
from traceloop.sdk.tracing.manual import LLMMessage, LLMUsage, track_llm_call
from traceloop.sdk.tracing.tracing import TracerWrapper


def start(sink: Sink) -> Observed:
    """Set it up, and observe."""
    Traceloop.init(app_name="shop", api_endpoint=sink.url, api_key="bench", telemetry_enabled=False)
    Traceloop.set_association_properties({"user_id": USER, "session_id": SESSION})

    def ask(messages: Messages) -> str:
        with track_llm_call(vendor=PROVIDER, type="chat") as span:
            span.report_request(MODEL, [LLMMessage(**message) for message in messages])
            completion = complete(messages)
            usage, text = completion["usage"], text_of(completion)
            span.report_response(completion["model"], [text])
            span.report_usage(
                LLMUsage(
                    prompt_tokens=usage["prompt_tokens"],
                    completion_tokens=usage["completion_tokens"],
                    total_tokens=usage["total_tokens"],
                    cache_read_input_tokens=usage["prompt_tokens_details"]["cached_tokens"],
                )
            )
            return text

    return Observed(ask, TracerWrapper().flush)
