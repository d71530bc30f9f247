"""Laws of the ledger, over any traces: order and repetition change nothing, and no sum is negative."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sightline_collector.settle.claim import Claim
from sightline_collector.settle.entries import AMOUNTS, DIMENSIONS, NOTHING, Amounts, Entry, settle
from sightline_collector.settle.verdicts import judge

OPERATIONS = ("llm", "llm", "agent", "tool", "chain", "embedding", "token_count", "fetch_response")
PRICE = Decimal("0.000001")


@st.composite
def claims(draw: st.DrawFn) -> list[Claim]:
    """Some spans of two traces, with few distinct ids, tokens and scopes, so that many look alike."""
    drawn = []
    for number in range(1, draw(st.integers(1, 9)) + 1):
        tokens = draw(st.sampled_from([(None, None), (100, 10), (100, 10), (300, 30), (0, 0)]))
        started = draw(st.integers(0, 5))
        drawn.append(Claim(
            trace_id=draw(st.sampled_from("ab")), span_id=str(number),
            parent_span_id=draw(st.sampled_from(["", "1", "2", "3", "9"])), received_ns=number,
            started_ns=started, ended_ns=started + draw(st.integers(0, 5)),
            operation=draw(st.sampled_from(OPERATIONS)), service="shop",
            scope=draw(st.sampled_from(["one", "two", "com.anthropic.sdk.python"])),
            models=(draw(st.sampled_from(["", "m"])), "m"),
            response_id=draw(st.sampled_from(["", "1", "msg_01XFDUDYJgAACzvnptvVoYEL"])),
            input_tokens=tokens[0], output_tokens=tokens[1], other_usage=0,
            cost_usd=None if tokens[0] is None else tokens[0] * PRICE,
            details=draw(st.integers(0, 1)), cached=draw(st.integers(0, 5)) == 0,
            weight=draw(st.sampled_from([1.0, 1.0, 4.0])), summed=draw(st.booleans()) and number % 3 == 0,
            blocked=False,
        ))  # fmt: skip
    return drawn


class Ledger:
    """A ledger in memory: entries, and the corrections appended to each."""

    def __init__(self) -> None:
        self.claims: list[Claim] = []
        self.rows: list[dict[str, Any]] = []

    def take(self, came: Sequence[Claim]) -> None:
        """Store spans and settle."""
        self.claims += came
        self.settle()

    def settle(self) -> list[dict[str, Any]]:
        """The corrections that this settlement appends."""
        new = settle([self._entry(claim) for claim in self.claims], judge(self.claims))
        self.rows += new
        return new

    def total(self) -> Amounts:
        """What all entries come to."""
        total = NOTHING
        for claim in self.claims:
            total += self._entry(claim).came
        for row in self.rows:
            total += _amounts(row)
        return total

    def nets(self) -> list[Amounts]:
        """What each span comes to."""
        entries = [self._entry(claim) for claim in self.claims]
        return [e.came + e.settled + e.sampled for e in entries]

    def _entry(self, claim: Claim) -> Entry:
        own = Amounts(
            calls=1, priced=int(claim.cost_usd is not None), unpriced=int(claim.cost_usd is None),
            input_tokens=claim.input_tokens or 0, output_tokens=claim.output_tokens or 0,
            cost_usd=claim.cost_usd or Decimal(0),
        )  # fmt: skip
        held: dict[str, Amounts] = defaultdict(lambda: NOTHING)
        for row in self.rows:
            if (row["trace_id"], row["span_id"], row["span_received_at"]) == _place(claim):
                held["sampled" if row["why"] == "sampled" else ""] += _amounts(row)
        row = dict.fromkeys(DIMENSIONS) | {"trace_id": claim.trace_id, "span_id": claim.span_id}
        return Entry(claim, row, own, settled=held[""], sampled=held["sampled"])


def _place(claim: Claim) -> tuple[str, str, str]:
    return claim.trace_id, claim.span_id, f"0.{claim.received_ns:09d}"


def _amounts(row: dict[str, Any]) -> Amounts:
    counts = {name: row.get(name) or 0 for name in AMOUNTS if name != "cost_usd"}
    return Amounts(**counts, cost_usd=Decimal(row["cost_usd"] or 0))


def settled(portions: Sequence[Sequence[Claim]]) -> Ledger:
    """A ledger that took the portions one after the other."""
    ledger = Ledger()
    for portion in portions:
        ledger.take(portion)
    return ledger


@given(claims(), st.randoms(use_true_random=False))
def test_the_order_in_which_spans_come_changes_no_total(told: list[Claim], random: Any) -> None:
    """Spans one by one in any order, or all at once, come to the same."""
    shuffled = random.sample(told, len(told))
    assert settled([told]).total() == settled([[claim] for claim in shuffled]).total()


@given(claims())
def test_a_second_delivery_changes_no_total(told: list[Claim]) -> None:
    """What is delivered twice is paid once."""
    again = [replace(claim, received_ns=claim.received_ns + 1000) for claim in told]
    assert settled([told, again]).total() == settled([told]).total()


@given(claims())
def test_settling_again_writes_nothing(told: list[Claim]) -> None:
    """A ledger that is settled stays as it is."""
    assert settled([told]).settle() == []


@given(claims(), st.integers(0, 9))
def test_no_span_comes_to_less_than_nothing(told: list[Claim], cut: int) -> None:
    """A correction takes away no more than there is, whatever came before it."""
    for net in settled([told[:cut], told[cut:]]).nets():
        assert all(getattr(net, name) >= 0 for name in AMOUNTS)
