"""MLflow: `@mlflow.trace(span_type="CHAT_MODEL")`, told of usage by attributes, exported as OTLP.

Not its defaults: OTLP instead of its own server, which no sink can play; and it would report its use to its
maker. `flush_trace_async_logging` does not know of OTLP, so its provider is flushed.
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
        "MLFLOW_TRACKING_URI": sink.url,
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{sink.url}/v1/traces",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": "shop",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    import mlflow
    from mlflow.entities import SpanType
    from mlflow.tracing.constant import SpanAttributeKey, TokenUsageKey
    from mlflow.tracing.provider import provider

    @mlflow.trace(span_type=SpanType.CHAT_MODEL)
    def ask(messages: Messages) -> str:
        completion = complete(messages)
        usage = completion["usage"]
        span = mlflow.get_current_active_span()
        span.set_attributes(
            {
                SpanAttributeKey.MODEL: completion["model"],
                SpanAttributeKey.MODEL_PROVIDER: PROVIDER,
                SpanAttributeKey.CHAT_USAGE: {
                    TokenUsageKey.INPUT_TOKENS: usage["prompt_tokens"],
                    TokenUsageKey.OUTPUT_TOKENS: usage["completion_tokens"],
                    TokenUsageKey.TOTAL_TOKENS: usage["total_tokens"],
                    TokenUsageKey.CACHE_READ_INPUT_TOKENS: usage["prompt_tokens_details"]["cached_tokens"],
                },
                "finish_reason": completion["choices"][0]["finish_reason"],
            }
        )
        mlflow.update_current_trace(user=USER, session_id=SESSION)
        return text_of(completion)

    return Observed(ask, lambda: provider.get().force_flush())
