"""The work that the SDK's figures observe, twice: with OpenTelemetry by hand, and decorated.

    step   a question in, passages out: arguments and result as JSON, 3 attributes
    llm    a model call: messages in, a chat completion out: messages in OpenTelemetry's shape, usage,
           finish reasons, and for whom it was made, 19 attributes

Both ways write the same attributes with the same values; about 1.3 KB of content a span.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import cycle
from typing import Any, Final

from opentelemetry.trace import SpanKind, Tracer
from tests.bench.words import sentence

import sightline

KINDS: Final = ("step", "llm")
VARIANTS: Final = 64
_WHO: Final = {
    "user.id": "u-1234",
    "session.id": "s-98765",
    "gen_ai.conversation.id": "s-98765",
    "sightline.feature": "support",
    "gen_ai.prompt.name": "greet",
    "gen_ai.prompt.version": "3",
    "sightline.variant": "B",
}

Call = Callable[[str], object]

_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # as Sightline writes it


def questions() -> Iterator[str]:
    """Questions of about 400 characters, for ever."""
    return cycle(_QUESTIONS)


def by_hand(kind: str, tracer: Tracer) -> Call:
    """The work with its span written with OpenTelemetry's own API."""
    return _step_by_hand(tracer) if kind == "step" else _llm_by_hand(tracer)


def decorated(kind: str) -> Call:
    """The work with Sightline's decorator."""
    return _step_decorated() if kind == "step" else _llm_decorated()


def surroundings(kind: str) -> AbstractContextManager[None]:
    """Where the decorated work runs: a model call is made for somebody."""
    if kind == "step":
        return nullcontext()
    return sightline.context(
        user_id="u-1234", session_id="s-98765", feature="support", prompt=("greet", "3"), variant="B"
    )


def _step_by_hand(tracer: Tracer) -> Call:
    def rank(question: str, limit: int = 3) -> list[str]:
        with tracer.start_as_current_span("rank", attributes={"sightline.operation": "step"}) as span:
            span.set_attribute("sightline.input", _json({"question": question, "limit": limit}))
            passages = _passages(question)
            span.set_attribute("sightline.output", _json(passages))
            return passages

    return lambda question: rank(question, limit=3)


def _step_decorated() -> Call:
    @sightline.step
    def rank(question: str, limit: int = 3) -> list[str]:
        return _passages(question)

    return lambda question: rank(question, limit=3)


def _llm_by_hand(tracer: Tracer) -> Call:
    start = {
        "sightline.operation": "llm",
        "gen_ai.operation.name": "chat",
        "sightline.stage": "model_inference",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        **_WHO,
    }

    def ask(messages: list[dict[str, str]]) -> dict[str, Any]:
        with tracer.start_as_current_span("chat gpt-4o-mini", kind=SpanKind.CLIENT, attributes=start) as span:
            response = _completion(messages[-1]["content"])
            usage, choices = response["usage"], response["choices"]
            span.set_attributes(
                {
                    "gen_ai.response.id": response["id"],
                    "gen_ai.response.model": response["model"],
                    "gen_ai.response.finish_reasons": [choice["finish_reason"] for choice in choices],
                    "gen_ai.usage.input_tokens": usage["prompt_tokens"],
                    "gen_ai.usage.output_tokens": usage["completion_tokens"],
                    "gen_ai.input.messages": _json([_said(m["role"], m["content"]) for m in messages]),
                    "gen_ai.output.messages": _json(
                        [
                            _said("assistant", choice["message"]["content"])
                            | {"finish_reason": choice["finish_reason"]}
                            for choice in choices
                        ]
                    ),
                }
            )
            return response

    return lambda question: ask(_messages(question))


def _llm_decorated() -> Call:
    @sightline.llm(provider="openai", model="gpt-4o-mini")
    def ask(messages: list[dict[str, str]]) -> dict[str, Any]:
        return _completion(messages[-1]["content"])

    return lambda question: ask(_messages(question))


def _said(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def _messages(question: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": question}]


def _passages(question: str) -> list[str]:
    return _FOUND[question]


def _completion(question: str) -> dict[str, Any]:
    return _ANSWERS[question]


def _completion_of(number: int, text: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{number:08x}",
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 200 + number, "completion_tokens": 120, "total_tokens": 320 + number},
    }


_CHANCE: Final = random.Random(7)
_SYSTEM: Final = "You answer questions about orders, in one short paragraph."
_QUESTIONS: Final = [sentence(_CHANCE, 65) for _ in range(VARIANTS)]
_FOUND: Final = {question: [sentence(_CHANCE, 45) for _ in range(3)] for question in _QUESTIONS}
_ANSWERS: Final = {
    question: _completion_of(number, sentence(_CHANCE, 120)) for number, question in enumerate(_QUESTIONS)
}
