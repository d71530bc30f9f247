"""What every provider's answer is read into: pieces, each with what one event says about one choice. Pure."""

from enum import Enum
from typing import Any, Final, NamedTuple

from sightline.usage import Usage


class ToolPiece(NamedTuple):
    """A tool call, or a fragment of one.

    `number` says which call of its choice the fragment belongs to; None is a call of its own. `arguments` is
    JSON text, or a fragment of it.
    """

    number: int | None
    id: str | None
    name: str | None
    arguments: str = ""


class Piece(NamedTuple):
    """What one event of a stream, or one choice of a whole answer, brings; what it is silent about is empty.

    A tuple, not a dataclass: one is made for each token, and a tuple is made in a third of the time.
    `cache_outside`: the cache's counts stand beside the input in `usage`, not inside. `whole`: this is the
    choice from its beginning on, and replaces what came of it before.
    """

    id: str | None = None
    model: str | None = None
    usage: Usage | None = None
    service_tier: str | None = None
    choice: int = 0
    text: str = ""
    tool_calls: tuple[ToolPiece, ...] = ()
    finish_reason: str | None = None
    reasoning: str = ""
    whole: bool = False
    cache_outside: bool = False


# Providers' words -> OpenTelemetry's. A word that is not here stays as it is.
_FINISH_WORDS: Final = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "complete": "stop",
    "completed": "stop",
    "eos_token": "stop",
    "finish": "stop",
    "finished": "stop",
    "stop_criteria_met": "stop",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "tool_calls": "tool_calls",
    "tool_call": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "refusal": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "spii": "content_filter",
    "jailbreak": "content_filter",
    "model_armor": "content_filter",
    "image_safety": "content_filter",
    "image_prohibited_content": "content_filter",
    "image_recitation": "content_filter",
    "error": "error",
    "failed": "error",
    "timeout": "error",
    "malformed_function_call": "error",
    "malformed_response": "error",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
    "unexpected_tool_call": "error",
    "too_many_tool_calls": "error",
}
_UNSAID: Final = frozenset({"", "finish_reason_unspecified", "blocked_reason_unspecified"})


def finish_word(reason: Any) -> str | None:
    """Why the model stopped, in OpenTelemetry's word where it has one; None when nothing was said."""
    if type(reason) is str and reason in _FINISH_WORDS:
        return _FINISH_WORDS[reason]
    if isinstance(reason, Enum):
        reason = reason.value if isinstance(reason.value, str) else reason.name
    if not isinstance(reason, str) or reason.lower() in _UNSAID:
        return None
    return _FINISH_WORDS.get(reason.lower(), reason)
