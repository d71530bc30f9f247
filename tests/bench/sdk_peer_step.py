"""The step that every SDK observes: a chat in, a completion out, of a client that answers at once.

Imported inside each peer's environment: nothing but the standard library, and little of that, because what
is imported here is not seen in the peer's own import.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Final

from tests.bench.words import WORDS, sentence

PROVIDER: Final = "openai"
MODEL: Final = "gpt-4o-mini"
USER, SESSION = "u-1234", "s-98765"
VARIANTS: Final = 64
SYSTEM: Final = "You answer questions about orders, in one short paragraph."

PLAIN: Final = [word for word in WORDS if word != "password"]
"""Words that no SDK scrubs: a text with a password in it is dropped whole by Logfire."""

Messages = list[dict[str, str]]
Completion = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sink:
    """Where spans go: the base URL for HTTP, the port for gRPC. The host is 127.0.0.1."""

    url: str
    grpc_port: int


@dataclass(frozen=True, slots=True)
class Observed:
    """The step as one SDK observes it, how its spans are sent at once, and for whom all of them are made."""

    ask: Callable[[Messages], object]
    flush: Callable[[], object]
    around: Callable[[], AbstractContextManager[object]] = nullcontext


def chats() -> Iterator[Messages]:
    """Chats of about 600 characters, for ever."""
    return cycle(_COMPLETIONS[content][0] for content in _COMPLETIONS)


def complete(messages: Messages) -> Completion:
    """What the model says, about 1,000 characters, in the shape of OpenAI's client."""
    return _COMPLETIONS[messages[-1]["content"]][1]


def text_of(completion: Completion) -> str:
    """What the model said."""
    text: str = completion["choices"][0]["message"]["content"]
    return text


def _chat(content: str) -> Messages:
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": content}]


def _completion(number: int, text: str) -> Completion:
    return {
        "id": f"chatcmpl-{number:08x}",
        "model": f"{MODEL}-2024-07-18",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 200 + number,
            "completion_tokens": 190,
            "total_tokens": 390 + number,
            "prompt_tokens_details": {"cached_tokens": 64 + number},
        },
    }


_CHANCE: Final = random.Random(7)
_COMPLETIONS: Final = {
    content: (_chat(content), _completion(number, sentence(_CHANCE, 155, PLAIN)))
    for number, content in enumerate(sentence(_CHANCE, 86, PLAIN) for _ in range(VARIANTS))
}
