"""Traces of any depth and length are judged like small ones."""

from __future__ import annotations

from decimal import Decimal

from sightline_collector.settle.claim import Claim
from sightline_collector.settle.verdicts import judge


def claim(number: int, parent: int | None = None, start: int = 0, end: int = 1, scope: str = "a") -> Claim:
    """A call of 10 tokens; each like the other but for its place."""
    return Claim(
        trace_id="t", span_id=f"{number:06d}", parent_span_id="" if parent is None else f"{parent:06d}",
        received_ns=number, started_ns=start, ended_ns=end, operation="llm", service="shop", scope=scope,
        models=("m", "m"), response_id="", input_tokens=10, output_tokens=1, other_usage=0,
        cost_usd=Decimal("0.01"), details=0, weight=1.0, cached=False, summed=False, blocked=False,
    )  # fmt: skip


def paid(claims: list[Claim]) -> list[int]:
    """The numbers of those that are paid."""
    verdicts = judge(claims)
    return [int(one.span_id) for one in claims if verdicts[one.key].counts]


def test_of_a_chain_of_thousands_the_innermost_is_paid() -> None:
    """However deep calls stand in each other, they are one."""
    deep = [claim(n, n - 1 if n else None, start=n, end=10_000 - n) for n in range(3_000)]
    assert paid(deep) == [2_999]


def test_a_long_trace_of_equal_calls_has_its_twins_found() -> None:
    """A thousand equal calls one after the other, each told by two scopes, are a thousand."""
    told = [
        claim(2 * n + second, 999_999, start=10 * n, end=10 * n + 5, scope="ab"[second])
        for n in range(1_000)
        for second in (0, 1)
    ]
    assert len(paid(told)) == 1_000


def test_hundreds_of_equal_calls_at_one_moment_are_paired_in_their_order() -> None:
    """However many run at once with the same tokens, two scopes that tell of each tell of half as many."""
    told = [claim(n, 999_999, end=100, scope="ab"[n % 2]) for n in range(300)]
    assert len(paid(told)) == 150
