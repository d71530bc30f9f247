"""Spans that tell what others together used, or seem to, and what is paid for all of them."""

from __future__ import annotations

from decimal import Decimal

from collector.settle.telling import ANSWER, ASKED, Case, Told, usd, used

AGENT = {"gen_ai.operation.name": "invoke_agent"}


def with_the_last_ones_id(operation: str) -> Case:
    """A whole of two calls, which knows more of them than they, under the id of the last answer."""
    whole = used(operation, (300, 30), **ANSWER, **{"gen_ai.usage.reasoning_tokens": 9})
    told = [
        Told(1, 0, whole, "framework", seconds=9),
        Told(2, 1, used("chat", (100, 10))),
        Told(3, 1, used("chat", (200, 20), **ANSWER), start=2),
    ]
    return told, (2, usd(300, 30), 300, 30)


SUMS: dict[str, Case] = {
    "an agent's usage is the sum of its calls'": (
        [
            Told(1, 0, used("invoke_agent", (300, 30)), seconds=9),
            Told(2, 1, {"gen_ai.operation.name": "execute_event_loop_cycle"}, seconds=8),
            Told(3, 2, used("chat", (100, 10))),
            Told(4, 2, used("chat", (200, 20)), start=2),
        ],
        (2, usd(300, 30), 300, 30),
    ),
    "an agent without calls below it is paid for what it used": (
        [Told(1, 0, used("invoke_agent", (300, 30)))],
        (1, usd(300, 30), 300, 30),
    ),
    "an agent that alone knows what a stream below it used is one call with it": (
        [
            Told(1, 0, used("invoke_agent", (300, 30)), seconds=9),
            Told(2, 1, used("invoke_agent", (300, 30)), seconds=8),
            Told(3, 2, ASKED, failed=True),
            Told(4, 2, ASKED, start=2),
        ],
        (2, usd(300, 30), 300, 30),
    ),
    "the innermost of nested agents is paid": (
        [Told(1, 0, used("invoke_agent", (300, 30)), seconds=9), Told(2, 1, used("invoke_agent", (300, 30)))],
        (1, usd(300, 30), 300, 30),
    ),
    "a call around the same call is not paid again": (
        [Told(1, 0, used("call_llm", (100, 10)), seconds=3), Told(2, 1, used("generate_content", (100, 10)))],
        (1, usd(100, 10), 100, 10),
    ),
    "a call around a call that alone knows its usage is no call": (
        [Told(1, 0, {"gen_ai.operation.name": "chat"}, seconds=3), Told(2, 1, used("chat", (100, 10)))],
        (1, usd(100, 10), 100, 10),
    ),
    "a tool's own call is paid beside the call that led to it": (
        [
            Told(1, 0, used("chat", (100, 10)), seconds=9),
            Told(2, 1, {"gen_ai.operation.name": "execute_tool"}, seconds=5),
            Told(3, 2, used("chat", (5000, 500))),
        ],
        (2, usd(5100, 510), 5100, 510),
    ),
    "a guardrail's and a retrieval's own calls are paid beside the call around them": (
        [
            Told(1, 0, used("chat", (1000, 100)), seconds=9),
            Told(2, 1, {"openinference.span.kind": "GUARDRAIL"}, seconds=5),
            Told(3, 2, used("chat", (50, 5))),
            Told(4, 1, used("embeddings", (8, 0)), start=6),
        ],
        (3, usd(1050, 105) + Decimal("0.00002"), 1058, 105),
    ),
    "a small call of another model below a call is paid beside it": (
        [
            Told(1, 0, used("chat", (10_000, 500)), seconds=5),
            Told(2, 1, used("chat", (500, 50), **{"gen_ai.request.model": "o1"}), start=1),
        ],
        (2, usd(10_000, 500) + Decimal("0.0105"), 10_500, 550),
    ),
    "so is one of its model's small sister": (
        [
            Told(1, 0, used("chat", (10_000, 500)), seconds=5),
            Told(2, 1, used("chat", (500, 50), **{"gen_ai.request.model": "gpt-4o-mini"}), start=1),
        ],
        (2, usd(10_000, 500) + Decimal("0.000105"), 10_500, 550),
    ),
    "an agent that bears its last answer's id is the sum of its calls, whatever it knows of them":
        with_the_last_ones_id("invoke_agent"),
    "a call that bears its last part's id is the sum of its parts, whatever it knows of them":
        with_the_last_ones_id("chat"),
    "what another trace tells of a sum is not paid beside its parts": (
        [
            Told(1, 0, used("chat", (110, 11), **ANSWER), "framework", seconds=3),
            Told(2, 1, used("chat", (100, 10)), start=0.5),
            Told(3, 0, used("chat", (110, 11), **ANSWER), "com.anthropic.sdk.python", start=0.1, trace=2),
        ],
        (1, usd(100, 10), 100, 10),
    ),
    "an agent's usage is that of a call that is paid in another trace": (
        [
            Told(1, 0, used("invoke_agent", (100, 10)), seconds=3),
            Told(2, 1, used("chat", (100, 10), **ANSWER), start=0.5),
            Told(3, 0, used("chat", (100, 10), **ANSWER), "com.anthropic.sdk.python", start=0.6, seconds=0.5,
                 trace=2),
        ],
        (1, usd(100, 10), 100, 10),
    ),
    "an agent's usage is that of an answer given again": (
        [
            Told(1, 0, used("chat", (100, 10), **ANSWER)),
            Told(2, 0, used("invoke_agent", (100, 10)), start=4, seconds=3, trace=2),
            Told(3, 2, used("chat", (100, 10), **ANSWER), start=5, trace=2),
        ],
        (1, usd(100, 10), 100, 10),
    ),
    "an equal call beside a call around a call is one of its own": (
        [
            Told(1, 9, used("chat", (100, 10)), "framework", seconds=3),
            Told(2, 9, used("chat", (100, 10)), "client", start=0.1),
            Told(3, 1, used("chat", (100, 10)), "client", start=0.2),
        ],
        (2, usd(200, 20), 200, 20),
    ),
    "a call around a call whose model it names otherwise is not paid again": (
        [
            Told(1, 0, used("chat", (100, 11), **{"gen_ai.request.model": "shop-deployment"}), seconds=5),
            Told(2, 1, used("chat", (100, 10)), start=1),
        ],
        (1, usd(100, 10), 100, 10),
    ),
    "what only an agent says that it cost is paid": (
        [Told(1, 0, AGENT | {"gen_ai.usage.cost": 0.05}, seconds=9), Told(2, 1, AGENT)],
        (1, Decimal("0.05"), 0, 0),
    ),
    "an agent says what its calls cost, too": (
        [Told(1, 0, AGENT | {"gen_ai.usage.cost": 0.05}, seconds=9), Told(2, 1, used("chat", (100, 10)))],
        (1, usd(100, 10), 100, 10),
    ),
}  # fmt: skip
