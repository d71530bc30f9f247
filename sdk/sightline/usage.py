"""Token counts of one model call, as whole counts with their parts. Pure.

    input  ──┬─ cache_read       read from the provider's cache
             ├─ cache_write      written into it
             └─ uncached_input   the rest
    output ──┬─ reasoning        thought, not shown
             └─ visible_output   the rest

A part is never counted beside its whole. Providers disagree on whether the whole includes its parts
(OpenAI and Gemini's cache: yes; Anthropic's and Bedrock's cache, Gemini's thoughts: no): `normalised` settles
that where it is to be guessed, `latest` where it is known.
"""

from collections.abc import Mapping
from numbers import Integral
from typing import Any, Final, NamedTuple

from sightline import attributes

# No call has a trillion tokens: a larger count is a bug of the sender, and sums of it would overflow.
MAX_TOKENS: Final = 10**12


class Usage(NamedTuple):
    """Counts in tokens; `None` means not reported. `input_tokens` and `output_tokens` include their parts.

    A tuple, not a dataclass: made for each call on the program's thread, in a third of the time.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    image_input_tokens: int | None = None
    image_output_tokens: int | None = None
    cache_write_1h_tokens: int | None = None  # part of cache_write_tokens
    web_searches: int | None = None  # searches, not tokens

    def __bool__(self) -> bool:
        """True when a whole was reported, zero included."""
        return self.input_tokens is not None or self.output_tokens is not None

    def buckets(self) -> dict[str, int]:
        """Each token in exactly one bucket; the buckets of a side add up to its whole, and none is negative.

        A part larger than its whole is cut to what the whole leaves.
        """
        whole_in, whole_out = self.input_tokens or 0, self.output_tokens or 0
        read = min(self.cache_read_tokens or 0, whole_in)
        write = min(self.cache_write_tokens or 0, whole_in - read)
        reasoning = min(self.reasoning_tokens or 0, whole_out)
        return {
            "uncached_input": whole_in - read - write,
            "cache_read": read,
            "cache_write": write,
            "visible_output": whole_out - reasoning,
            "reasoning": reasoning,
        }

    def with_searches(self, searches: int) -> "Usage":
        """The same usage with this many web searches; none are not worth saying."""
        return self._replace(web_searches=searches) if searches else self

    def to_attributes(self) -> dict[str, int]:
        """The span attributes of the counts that were reported."""
        return {name: found for name, found in zip(_NAMES, self, strict=True) if found is not None}


NO_USAGE: Final = Usage()  # nothing was reported yet

_ATTRIBUTES: Final = {
    "input_tokens": attributes.INPUT_TOKENS,
    "output_tokens": attributes.OUTPUT_TOKENS,
    "cache_read_tokens": attributes.CACHE_READ_TOKENS,
    "cache_write_tokens": attributes.CACHE_WRITE_TOKENS,
    "reasoning_tokens": attributes.REASONING_TOKENS,
    "audio_input_tokens": attributes.AUDIO_INPUT_TOKENS,
    "audio_output_tokens": attributes.AUDIO_OUTPUT_TOKENS,
    "image_input_tokens": attributes.IMAGE_INPUT_TOKENS,
    "image_output_tokens": attributes.IMAGE_OUTPUT_TOKENS,
    "cache_write_1h_tokens": attributes.CACHE_WRITE_1H_TOKENS,
    "web_searches": attributes.WEB_SEARCHES,
}
_NAMES: Final = tuple(_ATTRIBUTES[field] for field in Usage._fields)
_OLD_CACHE_WRITE: Final = "gen_ai.usage.cache_creation.input_tokens"  # its name before cache_write


def from_attributes(values: Mapping[str, Any]) -> Usage:
    """The usage that a span's attributes carry; empty (falsy) when they carry none."""
    usage = Usage._make(map(values.get, _NAMES))
    for found in usage:
        if found is not None and (type(found) is not int or not 0 <= found <= MAX_TOKENS):
            usage = Usage._make(map(count, usage))
            break
    if usage.cache_write_tokens is None and _OLD_CACHE_WRITE in values:
        return usage._replace(cache_write_tokens=count(values.get(_OLD_CACHE_WRITE)))
    return usage


def normalised(raw: Usage, *, total_tokens: int | None = None, cache_outside: bool | None = None) -> Usage:
    """Make the wholes include their parts.

    `cache_outside` says whether the cache counts stand beside the input (Anthropic) or inside it (OpenAI);
    when unknown, `total_tokens` decides, and after that the arithmetic: parts cannot exceed their whole.
    """
    whole_in, whole_out = raw.input_tokens, raw.output_tokens
    cached = (raw.cache_read_tokens or 0) + (raw.cache_write_tokens or 0)
    if not cached and not raw.reasoning_tokens:
        return raw
    if (
        whole_in is not None
        and cached
        and _stands_outside(whole_in, whole_out, cached, total_tokens, cache_outside)
    ):
        whole_in += cached
    reasoning = raw.reasoning_tokens or 0
    if whole_out is not None and (
        reasoning > whole_out or (reasoning and total_tokens == (whole_in or 0) + whole_out + reasoning)
    ):
        whole_out += reasoning
    if (whole_in, whole_out) == (raw.input_tokens, raw.output_tokens):
        return raw
    return raw._replace(input_tokens=whole_in, output_tokens=whole_out)


def latest(known: Usage, reported: Usage, *, cache_outside: bool = False) -> Usage:
    """What is known after one more report of the same call: what it says counts, what it omits stays.

    Counts are cumulative, nothing is added up. With `cache_outside` the report's cache counts stand beside
    its input: the whole that comes back includes them.
    """
    if not cache_outside:
        return _merged(known, reported)
    if known.input_tokens is not None:
        known = known._replace(input_tokens=known.buckets()["uncached_input"])
    merged = _merged(known, reported)
    cached = (merged.cache_read_tokens or 0) + (merged.cache_write_tokens or 0)
    if merged.input_tokens is None or not cached:
        return merged
    return merged._replace(input_tokens=merged.input_tokens + cached)


def _merged(known: Usage, reported: Usage) -> Usage:
    if known is NO_USAGE:
        return reported
    return Usage(*(old if new is None else new for old, new in zip(known, reported, strict=True)))


def _stands_outside(
    whole_in: int, whole_out: int | None, cached: int, total: int | None, declared: bool | None
) -> bool:
    if declared is not None:
        return declared
    if total is not None and total == whole_in + (whole_out or 0) + cached:
        return True
    return cached > whole_in


def count(value: object) -> int | None:
    """An int in [0, MAX_TOKENS], or None: booleans, fractions and negatives are no counts.

    Other libraries' whole numbers, such as numpy's, are.
    """
    if value is None:
        return None
    if type(value) is int:
        return value if 0 <= value <= MAX_TOKENS else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, Integral):
        return None
    value = int(value)
    return value if 0 <= value <= MAX_TOKENS else None
