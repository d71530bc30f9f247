"""Why a provider bills another amount for a model's day than was reckoned here. Pure.

A reason carries the USD that it explains when that is known exactly; what is left is unexplained.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from sightline_collector.reconcile.compare import NO_MODEL
from sightline_collector.reconcile.pair import Pair, Sums

FULL = Decimal(1)
KNOWN_RATIOS = (
    (Decimal("0.5"), "half the price, as of batches: the spans do not say processing=batch"),
    (Decimal(2), "twice the price, as of priority processing: the spans do not say their service tier"),
    (Decimal("1.1"), "a tenth more, as of regional endpoints: the spans do not say so"),
)


@dataclass(frozen=True, slots=True)
class Reason:
    """`name` is stable, for programs; `text` is for people; `usd` is None when it cannot be told."""

    name: str
    text: str
    usd: Decimal | None = None


def reasons(pair: Pair, tolerance: Decimal) -> list[Reason]:
    """What explains a pair's difference, the surest first; [] when it is within the tolerance."""
    if pair.within(tolerance):
        return []
    usd = pair.difference if pair.in_usd else None
    if pair.seen is None:
        return [_not_seen(pair, usd)]
    if pair.billed is None:
        text = "not in the file: another account or key, a free tier, or a tier invoiced apart"
        return [Reason("not_billed", text, usd)]
    return list(_of_both(pair, pair.billed, pair.seen, tolerance))


def unexplained_usd(pair: Pair, tolerance: Decimal) -> Decimal:
    """What is left of the difference, in USD; 0 for a pair within the tolerance, or of tokens alone."""
    if not pair.in_usd or pair.within(tolerance):
        return Decimal(0)
    return pair.difference - sum((r.usd or Decimal(0) for r in reasons(pair, tolerance)), Decimal(0))


def _not_seen(pair: Pair, usd: Decimal | None) -> Reason:
    if pair.model == NO_MODEL:
        return Reason("no_model", "the file names no model for it", usd)
    return Reason("not_seen", "no call was seen here: another key, or a program that sends no spans", usd)


def _of_both(pair: Pair, billed: Sums, seen: Sums, tolerance: Decimal) -> Iterator[Reason]:
    whole = pair.difference if pair.in_usd else None
    unpriced, calls = seen.unpriced_calls or 0, seen.calls or 0
    if unpriced:
        text = f"{unpriced:,} of {calls:,} calls have no price here: unpriced_calls says why"
        yield Reason("unpriced", text, whole if unpriced == calls else None)
    if seen.estimated_calls:
        yield Reason("estimated", f"the tokens of {seen.estimated_calls:,} calls are estimates here")
    told = list(_counts(billed, seen, tolerance))
    if any("tokens" in text for text in told):
        yield Reason("tokens", "; ".join(told), _of_volume(pair, billed, seen, tolerance))
    elif pair.in_usd and not unpriced:
        yield from _price(pair, billed, seen, tolerance)


def _counts(billed: Sums, seen: Sums, tolerance: Decimal) -> Iterator[str]:
    """How the counts differ, of those that the file has. Calls alone say little: batches count otherwise."""
    for name in ("calls", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"):
        theirs, ours = getattr(billed, name), getattr(seen, name) or 0
        if theirs is not None and abs(theirs - ours) > max(theirs, ours) * tolerance:
            kind = name.removesuffix("_tokens").replace("_", " ")
            yield f"{theirs:,} {kind}{'' if kind == 'calls' else ' tokens'} billed, {ours:,} seen"


def _of_volume(pair: Pair, billed: Sums, seen: Sums, tolerance: Decimal) -> Decimal | None:
    """All of the difference when cost grows as both input and output do: calls that one side lacks."""
    if not (pair.in_usd and seen.usd and seen.input_tokens and seen.output_tokens):
        return None
    ratio = (billed.usd or Decimal(0)) / seen.usd
    grown = [
        Decimal(theirs) / ours
        for theirs, ours in (
            (billed.input_tokens, seen.input_tokens),
            (billed.output_tokens, seen.output_tokens),
        )
        if theirs is not None
    ]
    if len(grown) == 2 and min(grown) * (1 - tolerance) <= ratio <= max(grown) * (1 + tolerance):
        return pair.difference
    return None


def _price(pair: Pair, billed: Sums, seen: Sums, tolerance: Decimal) -> Iterator[Reason]:
    """Another price of the same tokens, as far as the file counts them."""
    paid, reckoned = billed.usd or Decimal(0), seen.usd or Decimal(0)
    listed = billed.list_usd
    if listed and abs(listed - reckoned) <= listed * tolerance:
        text = f"{_percent(1 - paid / listed)} below the file's own list price: a discount not set here"
        yield Reason("discount", text, pair.difference)
        return
    if pair.tiers:
        text = f"the provider bills some of it as {' and '.join(sorted(pair.tiers))}, the spans do not say so"
        yield Reason("tier", text, pair.difference if billed.tokens is not None else None)
        return
    if billed.tokens is None:
        yield Reason("no_tokens", "the file has no tokens: add the usage export of these days to tell more")
    elif reckoned:
        yield Reason("price", _of_price(paid / reckoned, tolerance), pair.difference)


def _of_price(ratio: Decimal, tolerance: Decimal) -> str:
    known = next((text for r, text in KNOWN_RATIOS if abs(ratio / r - 1) <= tolerance), "")
    side = "less" if ratio < FULL else "more"
    return known or f"{_percent(abs(1 - ratio))} {side} for the same tokens: a discount, or another price"


def _percent(share: Decimal) -> str:
    return f"{share * 100:.1f} %"
