"""Opik: `@opik.track(type="llm")`, told of model and usage by `update_current_span`; a span and its trace.

Not its defaults: it sends errors of its own to Sentry and usage statistics to its maker, over the internet.
"""

from __future__ import annotations

import os

from tests.bench.sdk_peer_step import (
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
    os.environ |= {
        "OPIK_URL_OVERRIDE": f"{sink.url}/api",
        "OPIK_SENTRY_ENABLE": "false",
        "OPIK_ANALYTICS_ENABLE": "false",
    }
    import opik
    from opik import opik_context

    @opik.track(type="llm")
    def ask(messages: Messages) -> str:
        completion = complete(messages)
        opik_context.update_current_span(
            model=completion["model"],
            provider=PROVIDER,
            usage=completion["usage"],
            metadata={"finish_reason": completion["choices"][0]["finish_reason"]},
        )
        opik_context.update_current_trace(thread_id=SESSION, metadata={"user_id": USER})
        return text_of(completion)

    return Observed(ask, opik.flush_tracker)
