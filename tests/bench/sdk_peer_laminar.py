"""Laminar: `@observe(span_type="LLM")` with user and session, told of model and usage by attributes."""

from __future__ import annotations

from lmnr import Attributes, Laminar, observe
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


def start(sink: Sink) -> Observed:
    """Set it up, and observe. Spans go by gRPC, its default."""
    Laminar.initialize(
        project_api_key="bench",
        base_url="http://127.0.0.1",
        http_port=int(sink.url.rpartition(":")[2]),
        grpc_port=sink.grpc_port,
    )

    @observe(span_type="LLM", user_id=USER, session_id=SESSION)
    def ask(messages: Messages) -> str:
        completion = complete(messages)
        usage = completion["usage"]
        Laminar.set_span_attributes(
            {
                Attributes.PROVIDER: PROVIDER,
                Attributes.REQUEST_MODEL: MODEL,
                Attributes.RESPONSE_MODEL: completion["model"],
                Attributes.RESPONSE_ID: completion["id"],
                Attributes.INPUT_TOKEN_COUNT: usage["prompt_tokens"],
                Attributes.OUTPUT_TOKEN_COUNT: usage["completion_tokens"],
                Attributes.TOTAL_TOKEN_COUNT: usage["total_tokens"],
                "gen_ai.usage.cache_read_input_tokens": usage["prompt_tokens_details"]["cached_tokens"],
                "gen_ai.response.finish_reasons": [completion["choices"][0]["finish_reason"]],
            }
        )
        return text_of(completion)

    return Observed(ask, Laminar.flush)
