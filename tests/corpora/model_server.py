"""A model server on loopback that speaks OpenAI's, Anthropic's, Google's and Bedrock's languages."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.sdk.servers import chat_model

from . import anthropic_answers, bedrock_answers, gemini_answers, openai_answers
from .turns import Json


def answering() -> Callable[[Json], tuple[int, Any]]:
    """The server's script: a request, told by its shape, to its provider's answer; answers are numbered."""
    numbers = itertools.count(1)

    def answer(request: Json) -> tuple[int, Any]:
        language = openai_answers
        if "contents" in request:
            language = gemini_answers
        elif bedrock_answers.is_converse(request):
            language = bedrock_answers
        elif str(request.get("model")).startswith("claude"):
            language = anthropic_answers
        return 200, language.answer(request, next(numbers))

    return answer


@contextmanager
def model_server() -> Iterator[str]:
    """Its root URL: OpenAI's clients want /v1 behind it, the others nothing."""
    with contextmanager(chat_model)() as server:
        server.script.append(answering())
        yield server.root_url
