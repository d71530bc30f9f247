"""Token counts of one model call, as whole counts with their parts. Pure.

    input  ──┬─ cache_read       read from the provider's cache
             ├─ cache_write      written into it
             └─ uncached_input   the rest
    output ──┬─ reasoning        thought, not shown
             └─ visible_output   the rest

A part is never counted beside its whole. Providers disagree on whether the whole includes its parts
(OpenAI and Gemini's cache: yes; Anthropic's and Bedrock's cache, Gemini's thoughts: no), so counts enter
through `normalised` or `read_usage`, which settle that once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, Final

from sightline import attributes

# No call has a trillion tokens: a larger count is a bug of the sender, and sums of it would overflow.
MAX_TOKENS: Final = 10**12


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts in tokens; `None` means not reported. `input_tokens` and `output_tokens` include their parts."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None

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

    def to_attributes(self) -> dict[str, int]:
        """The span attributes of the counts that were reported."""
        counts = zip(_ATTRIBUTES.values(), _counts_of(self), strict=True)
        return {name: count for name, count in counts if count is not None}


_ATTRIBUTES: Final = {
    "input_tokens": attributes.INPUT_TOKENS,
    "output_tokens": attributes.OUTPUT_TOKENS,
    "cache_read_tokens": attributes.CACHE_READ_TOKENS,
    "cache_write_tokens": attributes.CACHE_WRITE_TOKENS,
    "reasoning_tokens": attributes.REASONING_TOKENS,
    "audio_input_tokens": attributes.AUDIO_INPUT_TOKENS,
    "audio_output_tokens": attributes.AUDIO_OUTPUT_TOKENS,
}
_counts_of: Final = attrgetter(*_ATTRIBUTES)
_OLD_CACHE_WRITE: Final = "gen_ai.usage.cache_creation.input_tokens"  # its name before cache_write


def from_attributes(values: Mapping[str, Any]) -> Usage:
    """The usage that a span's attributes carry; empty (falsy) when they carry none."""
    found = {field: _count(values[name]) for field, name in _ATTRIBUTES.items() if name in values}
    if _OLD_CACHE_WRITE in values and found.get("cache_write_tokens") is None:
        found["cache_write_tokens"] = _count(values[_OLD_CACHE_WRITE])
    return Usage(**found)


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
    return Usage(
        whole_in,
        whole_out,
        raw.cache_read_tokens,
        raw.cache_write_tokens,
        raw.reasoning_tokens,
        raw.audio_input_tokens,
        raw.audio_output_tokens,
    )


def _stands_outside(
    whole_in: int, whole_out: int | None, cached: int, total: int | None, declared: bool | None
) -> bool:
    if declared is not None:
        return declared
    if total is not None and total == whole_in + (whole_out or 0) + cached:
        return True
    return cached > whole_in


def read_usage(reported: object) -> Usage:
    """Read a provider's usage block (object or dict): OpenAI chat and responses, Anthropic messages.

    Returns an empty usage when there is nothing that can be read.
    """
    if reported is None:
        return Usage()
    get = getter(reported)
    of_prompt = get("prompt_tokens_details") or get("input_tokens_details")
    of_completion = get("completion_tokens_details") or get("output_tokens_details")
    anthropic_read = _count(get("cache_read_input_tokens"))
    anthropic_write = _count(get("cache_creation_input_tokens"))
    raw = Usage(
        input_tokens=_first(get, "prompt_tokens", "input_tokens"),
        output_tokens=_first(get, "completion_tokens", "output_tokens"),
        cache_read_tokens=_either(_part(of_prompt, "cached_tokens"), anthropic_read),
        cache_write_tokens=_either(_part(of_prompt, "cache_write_tokens"), anthropic_write),
        reasoning_tokens=_either(
            _part(of_completion, "reasoning_tokens"), _part(of_completion, "thinking_tokens")
        ),
        audio_input_tokens=_part(of_prompt, "audio_tokens"),
        audio_output_tokens=_part(of_completion, "audio_tokens"),
    )
    outside = True if (anthropic_read is not None or anthropic_write is not None) else None
    return normalised(raw, total_tokens=_count(get("total_tokens")), cache_outside=outside)


def getter(thing: object) -> Callable[[str], Any]:
    """Answers what each field of a client's object or of plain JSON is; `None` when it has none."""
    if type(thing) is dict:
        return thing.get
    return partial(field, thing)


def field(thing: object, name: str) -> Any:
    """A field of a client's object or of plain JSON; `None` when it has none."""
    if type(thing) is dict or isinstance(thing, Mapping):  # the first is a tenth of the second's cost
        return thing.get(name)
    return getattr(thing, name, None)


def _first(get: Callable[[str], Any], *names: str) -> int | None:
    for name in names:
        if (count := _count(get(name))) is not None:
            return count
    return None


def _part(details: object, name: str) -> int | None:
    return None if details is None else _count(field(details, name))


def _either(first: int | None, second: int | None) -> int | None:
    return second if first is None else first


def _count(value: object) -> int | None:
    """An int in [0, MAX_TOKENS], or None: booleans, fractions and negatives are no counts."""
    if value is None:
        return None
    if type(value) is int:
        return value if 0 <= value <= MAX_TOKENS else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MAX_TOKENS else None
