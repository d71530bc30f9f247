"""Google's Gemini: `GenerateContentResponse` of google-genai, or the JSON of the Gemini and Vertex APIs.

    whole and chunk alike   candidates[].content.parts[]   usage_metadata, cumulative, in every chunk

The client says `usage_metadata`, the JSON `usageMetadata`. Thoughts stand beside the output and the results
of Google's own tools beside the prompt: both are added to their wholes here.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sightline.providers.fields import Get, arguments, either, field, getter, items, name, text
from sightline.providers.piece import Piece, ToolPiece, finish_word
from sightline.usage import Usage, count


def read(thing: object) -> Sequence[Piece] | None:
    """The pieces of a response, a chunk of a stream, or an embedding; None for anything else."""
    get = getter(thing)
    candidates, reported = get("candidates"), either(get, "usage_metadata", "usageMetadata")
    feedback = either(get, "prompt_feedback", "promptFeedback")
    if candidates is None and reported is None and feedback is None:
        return _embedded(get)
    head = (
        name(either(get, "response_id", "responseId")),
        name(either(get, "model_version", "modelVersion")),
        None if reported is None else usage_of(reported),
        None if reported is None else _tier(reported),
    )
    if pieces := [_candidate(head, getter(candidate)) for candidate in items(candidates)]:
        return pieces
    # A prompt that was blocked has no candidate that could say so.
    blocked = either(getter(feedback), "block_reason", "blockReason")
    return (Piece(*head, finish_reason="content_filter" if blocked else None),)


Head = tuple[str | None, str | None, Usage | None, str | None]


class _Names(NamedTuple):
    """The fields of `usage_metadata`."""

    prompt: str = "prompt_token_count"
    tools: str = "tool_use_prompt_token_count"
    said: str = "candidates_token_count"
    said_live: str = "response_token_count"  # in live sessions
    thoughts: str = "thoughts_token_count"
    cached: str = "cached_content_token_count"
    sent_details: str = "prompt_tokens_details"
    said_details: str = "candidates_tokens_details"


_CLIENT: Final = _Names()
_JSON: Final = _Names(
    "promptTokenCount",
    "toolUsePromptTokenCount",
    "candidatesTokenCount",
    "responseTokenCount",
    "thoughtsTokenCount",
    "cachedContentTokenCount",
    "promptTokensDetails",
    "candidatesTokensDetails",
)


def usage_of(reported: object) -> Usage:
    """The block `usage_metadata`: cached tokens are inside the prompt, thoughts outside the candidates."""
    get = getter(reported)
    names = _JSON if type(reported) is dict and not reported.keys().isdisjoint(_JSON) else _CLIENT
    said, thoughts = count(get(names.said)), count(get(names.thoughts))
    if said is None:
        said = count(get(names.said_live))
    sent_details, said_details = get(names.sent_details), get(names.said_details)
    sent = _by_modality(sent_details) if sent_details else _NO_DETAILS
    came = _by_modality(said_details) if said_details else _NO_DETAILS
    return Usage(
        _sum(count(get(names.prompt)), count(get(names.tools))),
        _sum(said, thoughts),
        count(get(names.cached)),
        None,
        thoughts,
        sent.get("AUDIO"),
        came.get("AUDIO"),
        sent.get("IMAGE"),
        came.get("IMAGE"),
    )


_NO_DETAILS: Final[dict[str, int]] = {}


def _candidate(head: Head, get: Get) -> Piece:
    words: list[str] = []
    thoughts: list[str] = []
    calls: list[ToolPiece] = []
    for part in items(field(get("content"), "parts")):
        of_part = getter(part)
        if said := text(of_part("text")):
            (thoughts if of_part("thought") else words).append(said)
        if (call := either(of_part, "function_call", "functionCall")) is not None:
            of_call = getter(call)
            given = arguments(of_call("args"))
            calls.append(ToolPiece(None, name(of_call("id")), name(of_call("name")), given))
    index = get("index")
    reason = finish_word(either(get, "finish_reason", "finishReason"))
    return Piece(
        *head,
        index if type(index) is int else 0,
        "".join(words),
        tuple(calls),
        "tool_calls" if calls and reason == "stop" else reason,
        "".join(thoughts),
    )


def _embedded(get: Get) -> Sequence[Piece] | None:
    """An embedding's counts stand beside each vector, if anywhere."""
    vectors = items(get("embeddings"))
    statistics = [field(vector, "statistics") for vector in vectors if field(vector, "values") is not None]
    if not statistics:
        return None
    counts = [count(either(getter(each), "token_count", "tokenCount")) for each in statistics]
    known = [each for each in counts if each is not None]
    return (Piece(usage=Usage(input_tokens=sum(known)) if known else None),)


def _by_modality(details: object) -> dict[str, int]:
    found: dict[str, int] = {}
    for detail in items(details):
        get = getter(detail)
        modality, tokens = get("modality"), count(either(get, "token_count", "tokenCount"))
        modality = getattr(modality, "value", modality)
        if isinstance(modality, str) and tokens is not None:
            found[modality.upper()] = tokens
    return found


def _tier(reported: object) -> str | None:
    """Vertex says which traffic a call was; only the tiers with a price of their own are told."""
    traffic = either(getter(reported), "traffic_type", "trafficType")
    if traffic is None:
        return None
    return _TIERS.get(text(getattr(traffic, "value", traffic)))


_TIERS: Final = {"ON_DEMAND_PRIORITY": "priority", "ON_DEMAND_FLEX": "flex"}


def _sum(whole: int | None, beside: int | None) -> int | None:
    return whole if beside is None else (whole or 0) + beside
