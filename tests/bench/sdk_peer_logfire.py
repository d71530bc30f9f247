"""Logfire: `@logfire.instrument` with arguments and result, and GenAI attributes on the current span.

The session goes by its GenAI name: Logfire scrubs what is called `session`.
Not its defaults: `console=False`, as in a service; its own exporter is pointed at the sink.
"""

from __future__ import annotations

import logfire
from opentelemetry.trace import get_current_span
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
    logfire.configure(
        token="bench",
        service_name="shop",
        console=False,
        advanced=logfire.AdvancedOptions(base_url=sink.url),
    )

    @logfire.instrument(f"chat {MODEL}", record_return=True)
    def ask(messages: Messages) -> str:
        completion = complete(messages)
        usage = completion["usage"]
        get_current_span().set_attributes(
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
                "gen_ai.conversation.id": SESSION,
            }
        )
        return text_of(completion)

    return Observed(ask, logfire.force_flush)
