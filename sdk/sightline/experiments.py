"""Which variant somebody gets, the same each time and everywhere; and calls whose answers nobody sees.

    with sightline.variant("greeting", {"short": 0.9, "long": 0.1}) as chosen:
        answer(question, style=chosen)
    with sightline.shadow():
        candidate(question)

Both are said on every span below: `sightline.experiment`, `sightline.variant`, `sightline.shadow`.
"""

import hashlib
import math
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace

from sightline import attributes
from sightline._context import carried, carrying
from sightline._safety import log_rarely
from sightline.errors import ConfigurationError

_POINTS: Final = 2**53  # the whole numbers that every language's doubles hold


@contextmanager
def variant(experiment: str, weights: Mapping[str, float], unit: object = None) -> Iterator[str]:
    """Choose a variant and say so on every span below; the block is given the variant's name.

    The unit (default: the surrounding `context()`'s user, or else its session, or else the current trace)
    gets the same variant each time, in every process. `weights` are shares of any sum; with 0 a variant is
    switched off. Of two blocks the inner one is on the spans.

    Raises ConfigurationError when the weights cannot be used.
    """
    chosen = assigned(experiment, weights, _around() if unit is None else str(unit))
    with carrying({attributes.EXPERIMENT: experiment, attributes.VARIANT: chosen}):
        yield chosen


@contextmanager
def shadow() -> Iterator[None]:
    """Spans started inside the block are marked: what they answer is seen by nobody, though it is paid."""
    with carrying({attributes.SHADOW: True}):
        yield


def assigned(experiment: str, weights: Mapping[str, float], unit: str) -> str:
    """The variant of a unit: the first, by name, whose weight and those before it exceed the unit's share.

    Raises ConfigurationError when the weights cannot be used.
    """
    _check(experiment, weights)
    ordered = sorted(name for name, weight in weights.items() if weight > 0)
    total = passed = 0.0
    for name in ordered:
        total += weights[name]
    point = share(experiment, unit) * total
    for name in ordered:
        passed += weights[name]
        if point < passed:
            return name
    return ordered[-1]  # where the point was rounded up to the total


def share(experiment: str, unit: str) -> float:
    """A number from 0 to below 1, evenly spread over units: the same in every language.

    The first 53 bits of the SHA-256 of the experiment's name, a zero byte and the unit, in UTF-8, over 2^53.
    """
    digest = hashlib.sha256(f"{experiment}\0{unit}".encode("utf-8", "replace")).digest()
    return (int.from_bytes(digest[:8]) >> 11) / _POINTS


def _around() -> str:
    """Who is asked for; without anybody chance decides, and is told of."""
    values = carried()
    for name in (attributes.USER_ID, attributes.SESSION_ID):
        if values.get(name):
            return str(values[name])
    ids = trace.get_current_span().get_span_context()
    if ids.is_valid:
        return f"{ids.trace_id:032x}"
    log_rarely("variant", "variant() has no unit, user, session or trace: chance decides each time anew")
    return str(random.getrandbits(64))  # a lot, not a secret


def _check(experiment: str, weights: Mapping[str, float]) -> None:
    if not isinstance(weights, Mapping):
        raise ConfigurationError(
            f"variant({experiment!r}): give each variant a weight, as in {{'A': 0.5, 'B': 0.5}},"
            f" not {weights!r}"
        )
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            wrong = f"the weight of {name!r} is no number: {weight!r}"
        elif not 0 <= weight < math.inf:
            wrong = f"the weight of {name!r} is {weight}: give a finite number, 0 or more"
        else:
            continue
        raise ConfigurationError(f"variant({experiment!r}): {wrong}")
    if not any(weights.values()):
        raise ConfigurationError(f"variant({experiment!r}): give at least one variant a weight above 0")
