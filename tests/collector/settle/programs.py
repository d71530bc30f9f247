"""Programs that call models: what the provider bills is known, whatever is told of it.

agent ──▶ calls, one by one and at once, that fail and are tried again, by its tools, for titles,
          around other calls, given again by a gateway, in agents of its own
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random
from typing import Any

from collector.settle.emitters import SCOPES, Emitters

from sightline_collector.settle.claim import Claim

MS = 10**6
Usage = tuple[int, int]


@dataclass(frozen=True)
class Answer:
    """What a call, or some, came to."""

    ended_ms: int
    usage: Usage = (0, 0)
    response_id: str = ""


@dataclass(frozen=True)
class At:
    """Where and when something begins: a trace, the span around it, and ms."""

    trace: str
    parent: str
    ms: int

    def below(self, span: Claim, after_ms: int = 0) -> At:
        """Within a span, so long after here."""
        return At(span.trace_id, span.span_id, self.ms + after_ms)


@dataclass
class Program:
    """Runs once it is made, and keeps what was told and what is billed."""

    random: Random
    told: list[Claim] = field(default_factory=list)
    billed: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """One or two traces, one after the other or at once."""
        self.emitters = Emitters.drawn(self.random)
        self.same_tokens, at_once = self.random.random() < 0.4, self.random.random() < 0.5
        at_ms = 0
        for trace in ("one", "two")[: self.random.randint(1, 2)]:
            run = agent if self.random.random() < 0.7 else one_call
            answer = run(self, At(trace, "", self.random.randint(0, 1000) if at_once else at_ms))
            at_ms = answer.ended_ms + 1000

    def call(self, at: At, lasts_ms: int, *, failed: bool = False) -> Answer:
        """A call that is billed, unless it failed."""
        few = (100, 10) if self.same_tokens else (self.random.randint(50, 5000), self.random.randint(2, 900))
        answer = Answer(at.ms + lasts_ms, few, self.response_id())
        self.billed.update({"failed": 1} if failed else {"calls": 1, "input": few[0], "output": few[1]})
        self.tell(at, Answer(answer.ended_ms) if failed else answer)
        return answer

    def response_id(self) -> str:
        """What the server calls an answer."""
        ids = {"long": f"chatcmpl-{self.random.getrandbits(80):020x}", "short": "chatcmpl-1"}
        return ids.get(self.emitters.ids, "")

    def tell(self, at: At, answer: Answer, model: str = "gpt-4o", *, cached: bool = False) -> None:
        """Every emitter's span of a call."""
        emitters, inner, margin_ms = self.emitters, at, 0
        for name in emitters.names:
            first, place = name == emitters.names[0], emitters.place.get(name, "")
            around = (
                At(f"lost {len(self.told)}", "", 0)
                if place == "lost" and not first
                else (at if place == "beside" or first else inner)
            )
            over = name == "client" and emitters.counts_twice and bool(answer.usage[1])
            span = self.span(
                around, at.ms + margin_ms, answer.ended_ms - margin_ms, "llm", SCOPES[name],
                (answer.usage[0], answer.usage[1] + over),
                answer.response_id if emitters.knows_id[name] else "",
                details=emitters.details[name], models=(model, ""), cached=cached and first,
            )  # fmt: skip
            inner, margin_ms = at.below(span), margin_ms + 10

    def span(
        self, at: At, began_ms: int, ended_ms: int, operation: str, scope: str, usage: Usage = (0, 0),
        response_id: str = "", **more: Any,
    ) -> Claim:  # fmt: skip
        """A span; of no tokens none are told."""
        used = sum(usage) > 0
        told = Claim(
            trace_id=at.trace, span_id=f"{len(self.told):03}", parent_span_id=at.parent, received_ns=1,
            started_ns=began_ms * MS, ended_ns=ended_ms * MS, operation=operation, service="shop",
            scope=scope, response_id=response_id, input_tokens=usage[0] if used else None,
            output_tokens=usage[1] if used else None, other_usage=0, weight=1.0, summed=False, blocked=False,
            cost_usd=Decimal(usage[0] + 4 * usage[1]) if used else None,
            **{"models": ("", ""), "details": 0, "cached": False, **more},
        )  # fmt: skip
        self.told.append(told)
        return told

    def around(self, at: At, operation: str, scope: str, steps: Sequence[Step]) -> tuple[int, Answer]:
        """A span around some steps: its place, and what they came to, as the last one's answer."""
        place, answers = len(self.told), [Answer(at.ms)]
        span = self.span(at, at.ms, at.ms, operation, scope)
        for step in steps:
            answers.append(step(self, At(at.trace, span.span_id, answers[-1].ended_ms + 100)))
        usage = sum(each.usage[0] for each in answers), sum(each.usage[1] for each in answers)
        whole = Answer(answers[-1].ended_ms + 100, usage, answers[-1].response_id)
        self.told[place] = replace(span, ended_ns=whole.ended_ms * MS)
        return place, whole

    def sums_up(self, place: int, whole: Answer) -> None:
        """Let a span tell what its steps came to, and perhaps bear the last one's id."""
        known = self.emitters.ids == "long" and self.random.random() < 0.4
        self.told[place] = replace(
            self.told[place], input_tokens=whole.usage[0], output_tokens=whole.usage[1],
            cost_usd=Decimal(whole.usage[0] + 4 * whole.usage[1]), models=("gpt-4o", ""),
            details=self.random.randint(0, 3), response_id=whole.response_id if known else "",
        )  # fmt: skip


Step = Callable[[Program, At], Answer]


def one_call(program: Program, at: At) -> Answer:
    """A call."""
    return program.call(at, program.random.randint(1, 20) * 100)


def calls_at_once(program: Program, at: At) -> Answer:
    """Two or three, which may use the same."""
    answers = [one_call(program, replace(at, ms=at.ms + n)) for n in range(program.random.randint(2, 3))]
    usage = sum(each.usage[0] for each in answers), sum(each.usage[1] for each in answers)
    return Answer(max(each.ended_ms for each in answers), usage, answers[-1].response_id)


def call_tried_again(program: Program, at: At) -> Answer:
    """An attempt that fails, and one that does not."""
    failed = program.call(at, 300, failed=True)
    return one_call(program, replace(at, ms=failed.ended_ms + 100))


def tool(program: Program, at: At) -> Answer:
    """A tool that makes a call of its own."""
    return program.around(at, "tool", "app", [one_call])[1]


def call_with_a_title(program: Program, at: At) -> Answer:
    """A call, and within it one of a smaller model, of a tenth of its tokens."""
    outer, answer = len(program.told), one_call(program, at)
    if answer.usage[0] < 400:
        return answer
    small = answer.usage[0] // 10, answer.usage[1] // 10
    program.billed.update({"calls": 1, "input": small[0], "output": small[1]})
    title = Answer(answer.ended_ms - 30, small, program.response_id())
    program.tell(at.below(program.told[outer], 30), title, "gpt-4o-mini")
    return replace(answer, usage=(answer.usage[0] + small[0], answer.usage[1] + small[1]))


def call_around_calls(program: Program, at: At) -> Answer:
    """A call's span that is the sum of some, and is told of elsewhere, too."""
    scope = program.random.choice(["framework", "wrapper"])
    steps = program.random.randint(1, 3)
    place, whole = program.around(at, "llm", scope, [one_call] * steps)
    program.sums_up(place, whole)
    span = program.told[place]
    if steps == 1 and span.response_id and program.random.random() < 0.3:
        again = replace(span, scope="elsewhere", started_ns=span.started_ns + MS, ended_ns=span.ended_ns - MS)
        name = f"{len(program.told):03}"
        program.told.append(replace(again, trace_id=f"elsewhere {name}", span_id=name, parent_span_id=""))
    return whole


def answer_given_again(program: Program, at: At) -> Answer:
    """A gateway gives an answer again: it says so, or every emitter tells the answer's id."""
    answer = one_call(program, at)
    if program.emitters.ids != "long":
        return answer
    ended_ms = answer.ended_ms + 500
    says_so = program.emitters.names[0] != "native" and program.random.random() < 0.5
    if (says_so and program.emitters.knows_id[program.emitters.names[0]]) or program.emitters.all_know_ids:
        again = replace(at, ms=answer.ended_ms + 100)
        program.tell(again, replace(answer, ended_ms=ended_ms), cached=says_so)
    return replace(answer, ended_ms=ended_ms)


def agent(program: Program, at: At) -> Answer:
    """An agent of one to three steps, which may tell what they came to."""
    deep = len(program.told) > 20
    steps = program.random.choices(STEPS[deep:], k=program.random.randint(1, 3))
    place, whole = program.around(at, "agent", "framework", steps)
    if sum(whole.usage) and program.random.random() < 0.6:
        program.sums_up(place, whole)
    return whole


STEPS: Sequence[Step] = (
    agent, one_call, calls_at_once, call_tried_again, tool, call_with_a_title, call_around_calls,
    answer_given_again,
)  # fmt: skip
