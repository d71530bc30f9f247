"""OpenLIT: `@openlit.trace`, which records arguments and result, and GenAI attributes on the current span.

Its `using_attributes` reaches automatic instrumentations only. Not its default: prices come from an empty
file; it would ask the internet for them when it is set up.
"""

from __future__ import annotations

from pathlib import Path

import openlit
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
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
    """Set it up, and observe."""
    prices = Path("prices.json")
    prices.write_text("{}")
    openlit.init(service_name="shop", otlp_endpoint=sink.url, pricing_json=str(prices))

    @openlit.trace
    def ask(messages: Messages) -> str:
        completion = complete(messages)
        usage = completion["usage"]
        trace.get_current_span().set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": PROVIDER,
                "gen_ai.request.model": MODEL,
                "gen_ai.response.model": completion["model"],
                "gen_ai.response.id": completion["id"],
                "gen_ai.response.finish_reasons": [completion["choices"][0]["finish_reason"]],
                "gen_ai.usage.input_tokens": usage["prompt_tokens"],
                "gen_ai.usage.output_tokens": usage["completion_tokens"],
                "gen_ai.usage.cache_read.input_tokens": usage["prompt_tokens_details"]["cached_tokens"],
                "user.id": USER,
                "session.id": SESSION,
            }
        )
        return text_of(completion)

    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    return Observed(ask, provider.force_flush)
