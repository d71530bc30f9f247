"""Laws of the ledger, over any traces: order and repetition change nothing, and no sum is negative."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sightline_collector.settle.amounts import AMOUNTS, NOTHING, Amounts, amounts_of
from sightline_collector.settle.claim import Claim
from sightline_collector.settle.entries import DIMENSIONS, LABELLED, SAMPLED, Entry, settle
from sightline_collector.settle.labels import LABELS, Labels, labels_of
from sightline_collector.settle.verdicts import judge

USERS = ("", "ann", "")
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


def call(span_id: str) -> Claim:
    """A model call that used 100 and 10 tokens."""
    return Claim(
        trace_id="a", span_id=span_id, parent_span_id="", received_ns=1, started_ns=0, ended_ns=0,
        operation="llm", service="shop", scope="one", models=("", "m"), response_id="", input_tokens=100,
        output_tokens=10, other_usage=0, cost_usd=100 * PRICE, details=0, weight=1.0, cached=False,
        summed=False, blocked=False,
    )  # fmt: skip


class Ledger:
    """A ledger in memory: entries, and the corrections appended to each."""

    def __init__(self) -> None:
        self.claims: list[Claim] = []
        self.rows: list[dict[str, Any]] = []
        self.entries: list[Entry] = []

    def take(self, came: Sequence[Claim]) -> None:
        """Store spans and settle."""
        self.claims += came
        self.settle()

    def settle(self) -> list[dict[str, Any]]:
        """The corrections that this settlement appends."""
        new = settle([self._entry(claim) for claim in self.claims], judge(self.claims), {})
        self.rows += new
        self.entries = [self._entry(claim) for claim in self.claims]
        return new

    def total(self) -> Amounts:
        """What all entries come to."""
        total = NOTHING
        for entry in self.entries:
            total += entry.came
        for row in self.rows:
            total += amounts_of(row)
        return total

    def nets(self) -> list[Amounts]:
        """What each span comes to."""
        return [e.came + e.settled + e.sampled for e in self.entries]

    def by_labels(self) -> list[Amounts]:
        """What each span comes to under each of the labels that it ever stood under."""
        return [amounts for entry in self.entries for amounts in entry.under.values()]

    def _entry(self, claim: Claim) -> Entry:
        own = Amounts(
            calls=Decimal(1), priced=Decimal(claim.cost_usd is not None),
            unpriced=Decimal(claim.cost_usd is None),
            input_tokens=claim.input_tokens or 0, output_tokens=claim.output_tokens or 0,
            cost_usd=claim.cost_usd or Decimal(0),
        )  # fmt: skip
        row = dict.fromkeys(DIMENSIONS) | {"trace_id": claim.trace_id, "span_id": claim.span_id}
        row |= dict.fromkeys(LABELS, "") | {"user_id": USERS[int(claim.span_id) % len(USERS)]}
        held: dict[str, Amounts] = defaultdict(lambda: NOTHING)
        under: dict[Labels, Amounts] = defaultdict(lambda: NOTHING)
        if claim.paid:
            under[labels_of(row)] += own
        for each in self.rows:
            if (each["trace_id"], each["span_id"], each["span_received_at"]) == _place(claim):
                held[each["why"] if each["why"] in (SAMPLED, LABELLED) else ""] += amounts_of(each)
                under[labels_of(each)] += amounts_of(each)
        return Entry(claim, row, own, settled=held[""], sampled=held[SAMPLED], under=under)


def _place(claim: Claim) -> tuple[str, str, str]:
    return claim.trace_id, claim.span_id, f"0.{claim.received_ns:09d}"


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


ONE_OF_SEVERAL = """
from dataclasses import replace
from collector.settle.test_laws import call
from sightline_collector.settle.verdicts import judge

one = replace(call("1"), ended_ns=10, scope="u")
known = replace(one, span_id="2", received_ns=2, scope="s1", started_ns=1, ended_ns=15,
    response_id="msg_01XFDUDYJgAACzvnptvVoYEL")
also = replace(known, span_id="3", received_ns=3, scope="s2")
near = replace(one, span_id="4", received_ns=4, scope="s1", started_ns=2, cost_usd=None)
for key, verdict in sorted(judge([one, known, also, near]).items()):
    print(key, verdict.counts, verdict.twin_of)
"""
"""A call that may be told by either of two units, one of which has two scopes."""


def test_every_process_judges_alike() -> None:
    """The order of a set is another in each process, and no order decides who is paid."""
    told = {
        subprocess.run(
            [sys.executable, "-c", ONE_OF_SEVERAL],
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True, capture_output=True, text=True,
        ).stdout
        for seed in (0, 1)
    }  # fmt: skip
    assert len(told) == 1
    assert told.pop().count("True") == 2


@given(claims(), st.randoms(use_true_random=False))
def test_a_judgement_does_not_depend_on_the_order(told: list[Claim], random: Any) -> None:
    """The same spans are judged the same, in whatever order they are asked for."""
    assert judge(told) == judge(random.sample(told, len(told)))


def test_a_call_below_is_known_by_who_tells_its_usage() -> None:
    """Of two spans below a third, of which one tells the call's tokens and the other that a gateway gave the
    answer again, the third's tokens are those of the first: it is no call of its own."""
    above = call("1")
    knows = replace(above, span_id="2", parent_span_id="1", received_ns=2, response_id="1")
    silent = replace(
        knows, span_id="3", received_ns=3, scope="two", input_tokens=None, output_tokens=None, cost_usd=None,
        cached=True,
    )  # fmt: skip
    for told in permutations((above, knows, silent)):
        whys = {key[1]: verdict.why for key, verdict in judge(told).items()}
        assert whys == {"1": "aggregate", "2": "twin", "3": ""}


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


@given(claims(), st.integers(0, 9))
def test_under_no_labels_a_span_comes_to_less_than_nothing(told: list[Claim], cut: int) -> None:
    """What is moved to other labels is moved whole, and back when another span is paid."""
    ledger = settled([told[:cut], told[cut:]])
    assert not any(getattr(each, name) < 0 for each in ledger.by_labels() for name in AMOUNTS)
    assert all(sum(each != NOTHING for each in entry.under.values()) <= 1 for entry in ledger.entries)


@given(claims())
def test_a_call_that_names_a_user_anywhere_is_paid_under_one(told: list[Claim]) -> None:
    """Whichever of two spans is paid, its call stands under the user that one of them names."""
    ledger = settled([told])
    paid = {entry.claim.key: entry.paid_under for entry in ledger.entries}
    users = {entry.claim.key: entry.row["user_id"] for entry in ledger.entries}
    for claim in told:
        verdict = judge(told).get(claim.key)
        if verdict is not None and verdict.counts:
            known = [users[key] for key in (claim.key, *verdict.told_by) if users[key]]
            assert paid[claim.key][LABELS.index("user_id")] == (known or [""])[0]
