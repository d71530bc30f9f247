"""Google's Gemini: `GenerateContentResponse` of google-genai, or the JSON of the Gemini and Vertex APIs.

    whole and chunk alike   candidates[].content.parts[]   usage_metadata, cumulative, in every chunk

The client says `usage_metadata`, the JSON `usageMetadata`. Thoughts stand beside the output and the results
of Google's own tools beside the prompt: both are added to their wholes here.
"""

from collections.abc import Sequence

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
    # A prompt that was blocked has no candidate that could say so.
    blocked = either(getter(feedback), "block_reason", "blockReason")
    head = Piece(
        name(either(get, "response_id", "responseId")),
        name(either(get, "model_version", "modelVersion")),
        None if reported is None else usage_of(reported),
        _tier(reported),
        finish_reason="content_filter" if blocked else None,
    )
    return [_candidate(head, getter(candidate)) for candidate in items(candidates)] or (head,)


def usage_of(reported: object) -> Usage:
    """The block `usage_metadata`: cached tokens are inside the prompt, thoughts outside the candidates."""
    get = getter(reported)

    def counted(name: str, json_name: str) -> int | None:
        return count(either(get, name, json_name))

    prompt = counted("prompt_token_count", "promptTokenCount")
    tools = counted("tool_use_prompt_token_count", "toolUsePromptTokenCount")
    said = counted("candidates_token_count", "candidatesTokenCount")
    if said is None:  # Vertex' embeddings and live sessions
        said = counted("response_token_count", "responseTokenCount")
    thoughts = counted("thoughts_token_count", "thoughtsTokenCount")
    sent = _by_modality(either(get, "prompt_tokens_details", "promptTokensDetails"))
    came = _by_modality(either(get, "candidates_tokens_details", "candidatesTokensDetails"))
    return Usage(
        input_tokens=_sum(prompt, tools),
        output_tokens=_sum(said, thoughts),
        cache_read_tokens=counted("cached_content_token_count", "cachedContentTokenCount"),
        reasoning_tokens=thoughts,
        audio_input_tokens=sent.get("AUDIO"),
        audio_output_tokens=came.get("AUDIO"),
        image_input_tokens=sent.get("IMAGE"),
        image_output_tokens=came.get("IMAGE"),
    )


def _candidate(head: Piece, get: Get) -> Piece:
    words: list[str] = []
    thoughts: list[str] = []
    calls: list[ToolPiece] = []
    for part in items(field(get("content"), "parts")):
        of_part = getter(part)
        said = text(of_part("text"))
        (thoughts if of_part("thought") else words).append(said)
        if (call := either(of_part, "function_call", "functionCall")) is not None:
            of_call = getter(call)
            given = arguments(of_call("args"))
            calls.append(ToolPiece(None, name(of_call("id")), name(of_call("name")), given))
    index = get("index")
    reason = finish_word(either(get, "finish_reason", "finishReason"))
    return head._replace(
        choice=index if type(index) is int else 0,
        text="".join(words),
        tool_calls=tuple(calls),
        finish_reason="tool_calls" if calls and reason == "stop" else reason,
        reasoning="".join(thoughts),
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
    traffic = getattr(traffic, "value", traffic)
    return {"ON_DEMAND_PRIORITY": "priority", "ON_DEMAND_FLEX": "flex"}.get(text(traffic))


def _sum(whole: int | None, beside: int | None) -> int | None:
    return whole if beside is None else (whole or 0) + beside
