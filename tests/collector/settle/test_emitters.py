"""Whatever emitters tell of a program's calls, in whatever order, the total is what the provider bills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

from collector.settle.programs import Program

from sightline_collector.settle.claim import Claim
from sightline_collector.settle.verdicts import judge

PROGRAMS = 300
"""Each is different; what ten thousand more show is seen by raising it."""


def total(told: Sequence[Claim]) -> Counter[str]:
    """What is paid: what a gateway gives again costs nothing, an attempt without usage has failed."""
    paid: Counter[str] = Counter()
    verdicts = judge(told)
    for claim in told:
        verdict = verdicts.get(claim.key)
        if verdict is not None and verdict.counts and not claim.cached:
            used = {"calls": 1, "input": claim.input_tokens or 0, "output": claim.output_tokens or 0}
            paid.update(used if claim.used else {"failed": 1})
    return paid


def test_the_total_is_what_the_provider_bills() -> None:
    """Each call once, and each attempt that failed, however many tell of it; a first token that is counted
    twice is one too many at most."""
    for number in range(PROGRAMS):
        program = Program(Random(number))
        paid, billed = total(program.told), program.billed
        over = paid["output"] - billed["output"]
        assert 0 <= over <= billed["calls"] * program.emitters.counts_twice, number
        if program.emitters.place["native"] == "lost":
            del paid["failed"], billed["failed"]
        assert {**paid, "output": 0} == {**billed, "output": 0}, number
        shuffled = Random(number).sample(program.told, len(program.told))
        assert total(shuffled) == total(program.told), number
