"""Langfuse: `@observe(as_type="generation")`, told of model and usage by `update_current_generation`."""

from __future__ import annotations

from langfuse import Langfuse, observe, propagate_attributes
from tests.bench.sdk_peer_step import SESSION, USER, Messages, Observed, Sink, complete, text_of


def start(sink: Sink) -> Observed:
    """Set it up, and observe."""
    langfuse = Langfuse(public_key="pk-lf-bench", secret_key="sk-lf-bench", base_url=sink.url)

    @observe(as_type="generation")
    def ask(messages: Messages) -> str:
        completion = complete(messages)
        usage = completion["usage"]
        cached = usage["prompt_tokens_details"]["cached_tokens"]
        langfuse.update_current_generation(
            model=completion["model"],
            usage_details={
                # Langfuse adds up what it is told: cached tokens are taken out of the input.
                "input": usage["prompt_tokens"] - cached,
                "cache_read_input_tokens": cached,
                "output": usage["completion_tokens"],
            },
            metadata={"finish_reason": completion["choices"][0]["finish_reason"]},
        )
        return text_of(completion)

    return Observed(ask, langfuse.flush, lambda: propagate_attributes(user_id=USER, session_id=SESSION))
