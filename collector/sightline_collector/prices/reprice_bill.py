"""What new prices change on the bill: claims that tell of common calls are judged by them together. Pure.

Which of two spans that tell of a call is paid may depend on which has a price. So nothing is said of one call
by itself: what is reported is what the ledger holds after, less what it held before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sightline_collector.prices.reprice_calls import Repriced
from sightline_collector.settle.amounts import NOTHING, Amounts, amounts_of
from sightline_collector.settle.claim import Verdict
from sightline_collector.settle.completed import Judged
from sightline_collector.settle.entries import Entry, Place, repriced
from sightline_collector.settle.status import place
from sightline_collector.settle.verdicts import judge

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Charged:
    """What one span adds to the bill before and after, for all that it stands for."""

    model: str
    old: Amounts
    new: Amounts


@dataclass(frozen=True, slots=True)
class Change:
    """What calls of one model are charged before and after, of those whose charge has changed."""

    model: str
    calls: int
    """How many are paid after."""
    old_usd: Decimal
    new_usd: Decimal


def charged_anew(entries: Sequence[Entry], calls: Mapping[Place, Repriced]) -> tuple[Rows, Judged]:
    """The corrections of prices that a group's entries need once some of its claims have another price, and
    the group as it is with them."""
    anew = [_priced(entry, calls.get(entry.place)) for entry in entries]
    verdicts = judge([after.claim for _, after in anew])
    written, held = Rows(), []
    for before, (rows, after) in zip(entries, anew, strict=True):
        charged = _is_charged(before, verdicts.get(before.claim.key))
        written += rows if charged else ()
        held.append(after if charged else before)
    return written, Judged(held, verdicts)


def _priced(entry: Entry, call: Repriced | None) -> tuple[Rows, Entry]:
    return repriced(entry, call.new_usd, call.price, call.because) if call else ([], entry)


def _is_charged(entry: Entry, verdict: Verdict | None) -> bool:
    """Whether the ledger holds its price: of a call, of what is paid or was, and of a twin, for which of them
    is paid depends on it."""
    if entry.claim.paid or entry.settled.calls > 0:
        return True
    return verdict is not None and (verdict.counts or verdict.twin_of is not None)


def changes_of(entries: Iterable[Entry], corrections: Iterable[Mapping[str, Any]]) -> list[Charged]:
    """What corrections change of what entries are charged; those that stay as they are left out."""
    added: dict[Place, Amounts] = defaultdict(lambda: NOTHING)
    for row in corrections:
        added[place(row)] += amounts_of(row)
    held = ((entry, sum(entry.under.values(), NOTHING), added[entry.place]) for entry in entries)
    return [Charged(entry.row["model"], old, old + new) for entry, old, new in held if new.cost_usd]


def summary(charged: Iterable[Charged]) -> list[Change]:
    """The changes by model, the largest first."""
    by_model: dict[str, list[Charged]] = defaultdict(list)
    for one in charged:
        by_model[one.model].append(one)
    changes = [
        Change(
            model,
            round(sum(one.new.calls for one in of_model)),
            sum((one.old.cost_usd for one in of_model), Decimal(0)),
            sum((one.new.cost_usd for one in of_model), Decimal(0)),
        )
        for model, of_model in by_model.items()
    ]
    return sorted(changes, key=lambda one: (-abs(one.new_usd - one.old_usd), one.model))
