"""Bodies of Bedrock's InvokeModel in the tongues of models that are found only there: Llama and Titan.

    Llama   generation, stop_reason                  prompt_token_count, generation_token_count
    Titan   outputText, completionReason, results[]  inputTextTokenCount, tokenCount

Whole and chunk look alike; a chunk counts all tokens so far. Other models speak the language of
their own makers: Claude Anthropic's, Mistral and Jamba OpenAI's, Nova Converse's.
"""

from collections.abc import Mapping, Sequence

from sightline.providers.fields import Get, getter, items, text
from sightline.providers.piece import Piece, finish_word
from sightline.usage import Usage, count


def read(thing: object) -> Sequence[Piece] | None:
    """The pieces of such a body; None for anything else."""
    if not isinstance(thing, Mapping):
        return None
    get = getter(thing)
    if "generation" in thing:
        return _llama(get)
    if "inputTextTokenCount" in thing or "outputText" in thing:
        return _titan(get)
    return None


def _llama(get: Get) -> Sequence[Piece]:
    """The prompt is counted in the first chunk only."""
    usage = Usage(count(get("prompt_token_count")), count(get("generation_token_count")))
    return (Piece(usage=usage, text=text(get("generation")), finish_reason=finish_word(get("stop_reason"))),)


def _titan(get: Get) -> Sequence[Piece]:
    results = [getter(result) for result in items(get("results"))] or [get]
    said = [count(of_result("tokenCount")) for of_result in results]
    known = [tokens for tokens in said if tokens is not None]
    total = sum(known) if known else count(get("totalOutputTextTokenCount"))
    usage = Usage(count(get("inputTextTokenCount")), total)
    return [
        Piece(
            usage=usage,
            choice=index,
            text=text(of_result("outputText")),
            finish_reason=finish_word(of_result("completionReason")),
        )
        for index, of_result in enumerate(results)
    ]
