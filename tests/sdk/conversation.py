"""One small conversation as a provider's server would have it: what it sends, and what its span must say.

In each the model says "Hello there", after a thought where the provider shows thoughts.
"""

from dataclasses import dataclass, field
from typing import Any

from sdk.wire import SSE

from sightline._answer import Answer

Json = dict[str, Any]


@dataclass(frozen=True)
class Conversation:
    """What a server sends, whole and streamed, and what its span must say.

    `token_at` and `thought_at` are the numbers of the first events with content, counted from 1; `reported`
    is what is reported of a stream that breaks off after the first content.
    """

    whole: Json
    events: list[Json]
    provider: str
    model: str
    expected: Json
    token_at: int
    thought_at: int | None = None
    framing: str = SSE
    reported: Json = field(default_factory=dict)


def attributes_of(
    in_: int,
    out: int,
    *,
    read: int = 0,
    write: int = 0,
    reasoning: int | None = None,
    cost: str,
    more: Json | None = None,
) -> Json:
    counts: Json = {"gen_ai.usage.input_tokens": in_, "gen_ai.usage.output_tokens": out}
    if read:
        counts["gen_ai.usage.cache_read.input_tokens"] = read
    if write:
        counts["gen_ai.usage.cache_write.input_tokens"] = write
    if reasoning is not None:
        counts["gen_ai.usage.reasoning.output_tokens"] = reasoning
    return {**counts, "gen_ai.response.finish_reasons": ["stop"], "sightline.cost_usd": cost, **(more or {})}


def head_of(id_: str, model: str) -> Json:
    return {"gen_ai.response.id": id_, "gen_ai.response.model": model}


def said_by(answer: Answer, messages: object = None) -> Json:
    """Everything that its span would say."""
    return answer.attributes(messages, "gpt-4o-mini", captures=True)
