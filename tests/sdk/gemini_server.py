"""What Google's server answers: whole contents, and the chunks of a streamed one."""

from __future__ import annotations

from typing import Any

MODEL = "gemini-2.5-flash"
USAGE = {
    "promptTokenCount": 5000,
    "cachedContentTokenCount": 4000,
    "candidatesTokenCount": 60,
    "thoughtsTokenCount": 40,
    "totalTokenCount": 5100,
}
"""5,000 tokens in, 4,000 of them cached, 100 out with the thoughts: 0.00067 USD."""


def content(words: str, finish: str | None = "STOP", usage: Any = USAGE) -> dict[str, Any]:
    """A whole answer, or a piece of one."""
    candidate = {"index": 0, "content": {"role": "model", "parts": [{"text": words}]}}
    return {
        "candidates": [{**candidate, **({"finishReason": finish} if finish else {})}],
        "modelVersion": MODEL,
        "responseId": "resp_1",
        **({"usageMetadata": usage} if usage else {}),
    }


STREAM = [content("Hello", None, None), content(" there")]
