"""Spans of which several tell of one call, or seem to, and what is paid for all of them."""

from __future__ import annotations

from decimal import Decimal

from collector.settle.telling import ANSWER, ASKED, CLAUDE, CLAUDE_USD, Case, Told, usd, used

SEARCHED = {"gen_ai.usage.details.web_search_requests": 3}
CLAUDE_MODEL = {name: CLAUDE[name] for name in ("gen_ai.provider.name", "gen_ai.request.model")}
TWINS: dict[str, Case] = {
    "a native span below an instrumentor's tells of its call": (
        [
            Told(1, 0, CLAUDE | {"gen_ai.response.id": "msg_1"}, seconds=3),
            Told(2, 1, CLAUDE | {"gen_ai.response.id": "msg_1"}, "com.anthropic.sdk.python", seconds=2),
        ],
        (1, CLAUDE_USD, 18495, 445),
    ),
    "two spans side by side with one response id are one call": (
        [
            Told(1, 9, CLAUDE | {"gen_ai.response.id": "msg_1"}, "opentelemetry.instrumentation.anthropic"),
            Told(2, 9, CLAUDE | {"gen_ai.response.id": "msg_1"}, "com.anthropic.sdk.python"),
        ],
        (1, CLAUDE_USD, 18495, 445),
    ),
    "two roots of two traces with one response id are one call, and the library's own numbers count": (
        [
            Told(1, 0, CLAUDE | {"gen_ai.response.id": "msg_01XFDUDYJgAACzvnptvVoYEL"}, "foreign"),
            Told(2, 0, CLAUDE | {"gen_ai.response.id": "msg_01XFDUDYJgAACzvnptvVoYEL"},
                 "com.anthropic.sdk.python", start=0.1, seconds=0.5, trace=2),
        ],
        (1, CLAUDE_USD, 18495, 445),
    ),
    "in two traces, too, whatever the stream's running totals came to": (
        [
            Told(1, 0, CLAUDE | {"gen_ai.response.id": "msg_01XFDUDYJgAACzvnptvVoYEL",
                                 "gen_ai.usage.output_tokens": 446}),
            Told(2, 0, CLAUDE | {"gen_ai.response.id": "msg_01XFDUDYJgAACzvnptvVoYEL"},
                 "com.anthropic.sdk.python", start=0.1, seconds=0.5, trace=2),
        ],
        (1, CLAUDE_USD, 18495, 445),
    ),
    "a framework's call and its client's in a trace of its own are one call without any id": (
        [
            Told(1, 7, used("chat", (100, 10)), "framework"),
            Told(2, 0, used("chat", (100, 10)), "client", start=0.1, seconds=0.5, trace=2),
        ],
        (1, usd(100, 10), 100, 10),
    ),
    "a library's span that is found by its id in another trace is no twin of an equal call at that time": (
        [
            Told(1, 9, used("chat", (100, 10), **ANSWER), "instrumentor"),
            Told(2, 0, used("chat", (100, 10), **ANSWER), "com.anthropic.sdk.python", start=0.1, seconds=0.5,
                 trace=2),
            Told(3, 8, used("chat", (100, 10)), "framework", trace=3),
            Told(4, 0, used("chat", (100, 10)), "client", start=0.1, seconds=0.5, trace=4),
        ],
        (2, usd(200, 20), 200, 20),
    ),
    "nor is it where it is found below a root that ran longer than that call": (
        [
            Told(1, 0, used("chat", (100, 10)), "gateway", seconds=2),
            Told(2, 1, used("chat", (100, 10), **ANSWER), "client", start=0.1),
            Told(3, 0, used("chat", (100, 10), **ANSWER), "com.anthropic.sdk.python", start=0.2, seconds=0.5,
                 trace=2),
            Told(4, 8, used("chat", (100, 10)), "framework", start=0.15, trace=3),
        ],
        (2, usd(200, 20), 200, 20),
    ),
    "equal calls of two scopes in two traces, each below a span of its own, are two": (
        [
            Told(1, 7, used("chat", (100, 10)), "framework"),
            Told(2, 8, used("chat", (100, 10)), "client", start=0.1, seconds=0.5, trace=2),
        ],
        (2, usd(200, 20), 200, 20),
    ),
    "an instrumentation that counts a stream's first token twice gives way to the library": (
        [
            Told(1, 9, CLAUDE | {"gen_ai.response.id": "msg_1", "gen_ai.usage.output_tokens": 446}),
            Told(2, 9, CLAUDE | {"gen_ai.response.id": "msg_1"}, "com.anthropic.sdk.python"),
        ],
        (1, CLAUDE_USD, 18495, 445),
    ),
    "so it does to another that does not": (
        [
            Told(1, 9, used("chat", (100, 11), **ANSWER), "a"),
            Told(2, 9, used("chat", (100, 10), **ANSWER), "b", start=0.1),
        ],
        (1, usd(100, 10), 100, 10),
    ),
    "two scopes side by side with the same tokens are one call without any id": (
        [Told(1, 9, used("chat", (100, 10)), "a"), Told(2, 9, used("chat", (100, 10)), "b")],
        (1, usd(100, 10), 100, 10),
    ),
    "two scopes that each tell of three equal calls in parallel tell of three": (
        [Told(n, 9, used("chat", (100, 10)), scope) for n, scope in enumerate("aaabbb", 1)],
        (3, usd(300, 30), 300, 30),
    ),
    "equal calls of one scope in parallel are calls of their own": (
        [Told(1, 9, used("chat", (100, 10))), Told(2, 9, used("chat", (100, 10)))],
        (2, usd(200, 20), 200, 20),
    ),
    "calls with a server's constant id are calls of their own": (
        [
            Told(n, 9, used("chat", (100, 10), **{"gen_ai.response.id": "chatcmpl-1"}), start=n * 2)
            for n in (1, 2, 3)
        ],
        (3, usd(300, 30), 300, 30),
    ),
    "calls with a constant id that run at once, each told by two scopes, are as many as are told": (
        [
            Told(n, parent, used("chat", tokens, **{"gen_ai.response.id": "chatcmpl-1"}), scope, trace=trace)
            for n, parent, tokens, scope, trace in (
                (1, 9, (100, 10), "a", 1), (2, 1, (100, 10), "b", 1), (3, 9, (200, 20), "a", 1),
                (4, 3, (200, 20), "b", 1), (5, 0, (100, 10), "a", 2), (6, 5, (100, 10), "b", 2),
            )
        ],
        (3, usd(400, 40), 400, 40),
    ),
    "a call with a constant id that one scope tells of is no other call's twin": (
        [
            Told(n, 9, used("chat", tokens, **{"gen_ai.response.id": "chatcmpl-1"}), scope, start=start)
            for n, tokens, scope, start in (
                (1, (100, 10), "b", 0), (2, (100, 10), "a", 0.1), (3, (200, 20), "a", 0.2),
            )
        ],
        (2, usd(300, 30), 300, 30),
    ),
    "so they are where a stream's running totals came to more": (
        [
            Told(n, 9, used("chat", tokens, **{"gen_ai.response.id": "chatcmpl-1"}), scope)
            for n, tokens, scope in (
                (1, (100, 11), "a"), (2, (100, 10), "com.anthropic.sdk.python"),
                (3, (200, 21), "a"), (4, (200, 20), "com.anthropic.sdk.python"),
            )
        ],
        (2, usd(300, 30), 300, 30),
    ),
    "an answer that a gateway gives again is paid once": (
        [
            Told(n, 0, used("chat", (100, 10), **{"gen_ai.response.id": "chatcmpl-" + "x" * 29}),
                 start=n * 2, trace=n)
            for n in (1, 2)
        ],
        (1, usd(100, 10), 100, 10),
    ),
    "a twin in another trace stays one when a tool's span comes late": (
        [
            Told(1, 0, CLAUDE | {"gen_ai.response.id": "msg_01XFDUDYJgAACzvnptvVoYEL"}, "foreign"),
            Told(2, 0, CLAUDE | {"gen_ai.response.id": "msg_01XFDUDYJgAACzvnptvVoYEL"},
                 "com.anthropic.sdk.python", start=0.1, seconds=0.5, trace=2),
            Told(3, 2, {"gen_ai.operation.name": "execute_tool"}, trace=2),
            Told(4, 1, {"gen_ai.operation.name": "execute_tool"}),
        ],
        (1, CLAUDE_USD, 18495, 445),
    ),
    "of two that tell of a call the one whose model has a price is paid": (
        [
            Told(1, 9, used("chat", (100, 10)), "a"),
            Told(2, 9, used("chat", (100, 10)) | {"gen_ai.request.model": "gpt-4o-house"}, "b", start=0.01),
        ],
        (1, usd(100, 10), 100, 10),
    ),
    "of two that tell of a call the one that knows what was used beside tokens is paid": (
        [
            Told(1, 0, CLAUDE | SEARCHED, seconds=3),
            Told(2, 1, CLAUDE, "b", seconds=2),
        ],
        (1, CLAUDE_USD + Decimal("0.03"), 18495, 445),
    ),
    "what only the one that is not paid knows of a call is paid, too": (
        [
            Told(1, 0, CLAUDE, "com.anthropic.sdk.python", start=0.1, seconds=0.5),
            Told(2, 0, used("chat", (18495, 445), **CLAUDE_MODEL, **SEARCHED), trace=2),
        ],
        (1, CLAUDE_USD + Decimal("0.03"), 18495, 445),
    ),
    "or what stays in the cache for an hour": (
        [
            Told(1, 0, CLAUDE | {"anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 89}, seconds=3),
            Told(2, 1, CLAUDE, "b", seconds=2),
        ],
        (1, Decimal("0.0196497"), 18495, 445),
    ),
    "what a gateway gives again costs nothing, and its framework's span neither": (
        [
            Told(1, 0, used("chat", (100, 10), **{"litellm.cache_hit": True}), "litellm", seconds=3),
            Told(2, 0, used("chat", (100, 10)), "framework", start=0.1, seconds=2),
        ],
        (1, Decimal(0), 100, 10),
    ),
    "what a gateway gives again while the answer is still being told leaves that one paid": (
        [
            Told(1, 0, used("chat", (1000, 100), **ANSWER), "litellm", seconds=20),
            Told(2, 0, used("chat", (1000, 100), **ANSWER, **{"litellm.cache_hit": True}), "litellm",
                 start=19, seconds=0.1, trace=2),
        ],
        (2, usd(1000, 100), 2000, 200),
    ),
    "in one trace, too, and each framework's span goes with its gateway's": (
        [
            Told(1, 9, used("chat", (100, 10), **ANSWER), "framework", seconds=2),
            Told(2, 1, used("chat", (100, 10), **ANSWER), "litellm", start=0.1, seconds=1.8),
            Told(3, 9, used("chat", (100, 10), **ANSWER), "framework", start=1.5, seconds=0.3),
            Told(4, 3, used("chat", (100, 10), **ANSWER, **{"litellm.cache_hit": True}), "litellm",
                 start=1.6, seconds=0.1),
        ],
        (2, usd(100, 10), 200, 20),
    ),
    "an answer that is waited for, fetched twice and asked for in vain is one call": (
        [
            Told(1, 0, ASKED | ANSWER),
            Told(2, 0, used("chat", (100, 10), **ANSWER), start=3),
            Told(3, 0, used("chat", (100, 10), **ANSWER), start=6),
            Told(4, 0, ASKED | ANSWER, start=9, failed=True),
        ],
        (1, usd(100, 10), 100, 10),
    ),
    "two sisters that are asked the same at once are two": (
        [
            Told(1, 9, used("chat", (100, 1)), "a"),
            Told(2, 9, used("chat", (100, 1), **{"gen_ai.request.model": "gpt-4o-mini"}), "b"),
        ],
        (2, usd(100, 1) + Decimal("0.0000156"), 200, 2),
    ),
    "what stands beside one of two twins tells of their call": (
        [
            Told(1, 9, used("chat", (100, 10)), "framework"),
            Told(2, 9, used("chat", (100, 11), **ANSWER), "instrumentor", start=0.1, seconds=0.8),
            Told(3, 2, used("chat", (100, 10), **ANSWER), "com.anthropic.sdk.python", start=0.2, seconds=0.6),
        ],
        (1, usd(100, 10), 100, 10),
    ),
    "a short id that two traces bear tells of two answers where their tokens differ": (
        [
            Told(1, 0, used("chat", (100, 10), **{"gen_ai.response.id": "7"}), "framework"),
            Told(2, 0, used("chat", (120, 12), **{"gen_ai.response.id": "7"}), "client", start=0.1,
                 seconds=0.5, trace=2),
        ],
        (2, usd(220, 22), 220, 22),
    ),
    "a stream that told neither of two scopes its usage is one call": (
        [Told(1, 0, ASKED, "framework"), Told(2, 1, ASKED, "client", start=0.1, seconds=0.5)],
        (1, Decimal(0), 0, 0),
    ),
    "so it is where the outer one knows more of it": (
        [
            Told(1, 0, ASKED | {"openai.response.service_tier": "flex"}, "framework"),
            Told(2, 1, ASKED, "client", start=0.1, seconds=0.5),
        ],
        (1, Decimal(0), 0, 0),
    ),
    "a stream that told only the outer of two scopes its usage is one call": (
        [Told(1, 0, used("chat", (100, 10)), "gateway"), Told(2, 1, ASKED, "client", start=0.1, seconds=0.5)],
        (1, usd(100, 10), 100, 10),
    ),
    "a model by its name and by its route is one": (
        [
            Told(1, 9, CLAUDE | {"gen_ai.request.model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}),
            Told(2, 9, CLAUDE, "com.anthropic.sdk.python"),
        ],
        (1, CLAUDE_USD, 18495, 445),
    ),
    "what one scope says a call cost is not paid beside the other's tokens": (
        [Told(1, 9, ASKED | {"gen_ai.usage.cost": 0.5}, "gateway"), Told(2, 9, used("chat", (100, 10)), "b")],
        (1, usd(100, 10), 100, 10),
    ),
    "a sampled call counts for those that were left out": (
        [Told(1, 0, used("chat", (100, 10), **{"sightline.sample.weight": 10.0}))],
        (10, usd(1000, 100), 1000, 100),
    ),
    "a ring of parents ends": (
        [Told(1, 2, used("chat", (100, 10))), Told(2, 1, used("chat", (100, 10)))],
        (1, usd(100, 10), 100, 10),
    ),
}  # fmt: skip
