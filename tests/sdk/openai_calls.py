"""What the tests of OpenAI's client ask."""

from typing import Any

import openai

MESSAGES: Any = [{"role": "user", "content": "hello"}]


def ask(client: openai.OpenAI, **more: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, **more)
