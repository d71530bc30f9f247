"""A span's attributes, looked at and added to without a detour.

OpenTelemetry's own mapping answers each question in Python, and inspects each value that it is given: half
of what a span costs. Where its inside is as we know it, and a value is plain, the dictionary in there is
asked and filled instead; everything else goes the public way.
"""

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.trace import Span

from sightline.attributes import (
    CACHE_READ_TOKENS,
    GEN_AI_OPERATION,
    GEN_AI_PROVIDER,
    INPUT_TOKENS,
    OPERATION,
    OUTPUT_TOKENS,
    REQUEST_MODEL,
    RESPONSE_MODEL,
)

# What a span is worth nothing without, the most important last.
_VITAL: Final = (
    CACHE_READ_TOKENS,
    OPERATION,
    REQUEST_MODEL,
    GEN_AI_PROVIDER,
    RESPONSE_MODEL,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    GEN_AI_OPERATION,
)
_NOTHING: Final[Mapping[str, Any]] = {}
_PLAIN: Final = frozenset({str, int, float, bool})


def attributes_of(span: object) -> Mapping[str, Any]:
    """The attributes of a span of this process, to look at; a remote parent has none that we can see."""
    held = getattr(span, "_attributes", None)
    return getattr(held, "_dict", held) or _NOTHING


def put(span: Span, values: Mapping[str, Any], first: Mapping[str, Any] = _NOTHING) -> None:
    """Set attributes, as `span.set_attributes` does.

    Where that drops the oldest, the vital ones come last, also those of `first`, which it was started with.
    """
    held = getattr(span, "_attributes", None)
    if type(held) is not BoundedAttributes or not _has_room(held, len(values)):
        span.set_attributes(_vital_last({**first, **attributes_of(span)}, values))
        return
    known = held._dict
    for name, value in values.items():
        kind = type(value)
        if kind in _PLAIN or (kind is tuple and _PLAIN.issuperset(map(type, value))):
            known[name] = value
        else:
            span.set_attribute(name, value)


def _vital_last(known: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    both = {**known, **values}
    vital = {name: both[name] for name in _VITAL if name in both}
    return {name: value for name, value in values.items() if name not in vital} | vital


def _has_room(held: Any, more: int) -> bool:
    """Whether nothing would have to be dropped, cut or refused."""
    try:
        return (
            not held._immutable
            and held.max_value_len is None
            and (held.maxlen is None or len(held._dict) + more <= held.maxlen)
        )
    except AttributeError:
        return False
