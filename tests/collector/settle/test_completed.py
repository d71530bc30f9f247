"""What only one of several spans knows of a call is paid, whichever of them is paid."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from collector.settle.telling import CLAUDE, CLAUDE_USD, Store, Told, clock, used

from sightline_collector.prices.api import set_override
from sightline_collector.prices.override import Override
from sightline_collector.prices.reprice import Done, Range, reprice
from sightline_collector.settle.completed import said_more

SEARCHED = {"gen_ai.usage.details.web_search_requests": 3}
PLAIN, FAST = ["service_tier=default"], ["service_tier=priority"]
TELLS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "what neither tells": ({}, {}, {}),
    "a part of its tokens": ({}, {"reasoning_tokens": 5}, {"reasoning_tokens": 5}),
    "a part that the first one tells otherwise": ({"reasoning_tokens": 6}, {"reasoning_tokens": 5}, {}),
    "that there was none": ({}, {"reasoning_tokens": 0}, {}),
    "a rare unit beside the first one's": (
        {"extra_usage": {"input_audio_tokens": 4}},
        {"extra_usage": {"input_audio_tokens": 5, "web_searches": 1}},
        {"extra_usage": {"input_audio_tokens": 4, "web_searches": 1}},
    ),
    "a tier": ({}, {"price_context": FAST}, {"price_context": FAST}),
    "a tier that costs what none does": ({}, {"price_context": PLAIN}, {}),
    "a tier that answered where the first one was asked for": (
        {"price_context": [*FAST, "inference_geo=us"]},
        {"price_context": PLAIN},
        {"price_context": ["inference_geo=us"]},
    ),
    "a tier that was asked for where the first one answered": (
        {"price_context": PLAIN},
        {"price_context": FAST},
        {},
    ),
}


def row(**told: Any) -> dict[str, Any]:
    """What a span tells that a price depends on; nothing of what is left out."""
    parts = ("cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens")
    return dict.fromkeys(parts) | {"extra_usage": {}, "price_context": []} | told


@pytest.mark.parametrize("rule", TELLS)
def test_a_call_is_what_all_tell_of_it(rule: str) -> None:
    """What the first one does not say is taken from the others, unless it costs the same."""
    first, other, more = TELLS[rule]
    assert said_more(row(**first), [row(**other)]) == more


def test_a_new_price_holds_for_what_another_span_knows(store: Store) -> None:
    """Repricing charges anew what only the span that is not paid tells, for all that the paid one is for."""
    model = {name: CLAUDE[name] for name in ("gen_ai.provider.name", "gen_ai.request.model")}
    store.take([
        Told(1, 9, CLAUDE | {"sightline.sample.weight": 10.0}, "com.anthropic.sdk.python"),
        Told(2, 9, used("chat", (18495, 445), **model, **SEARCHED), "b"),
    ])  # fmt: skip
    store.settle()
    usd = 10 * (CLAUDE_USD + Decimal("0.03"))
    assert store.total() == (10, usd, 184950, 4450)
    half = {"provider": "anthropic", "model": "*", "valid_from": "2020-01-01", "discount_pct": 50}
    set_override(store.engine, Override.model_validate(half))
    assert store.settle_all().corrections == 0
    asked = Range(since=datetime(2020, 1, 1, tzinfo=UTC), until=datetime(2100, 1, 1, tzinfo=UTC))
    changes = reprice(store.engine, asked, clock).changes
    assert [(one.calls, one.old_usd, one.new_usd) for one in changes] == [(10, usd, usd / 2)]
    assert store.total() == (10, usd / 2, 184950, 4450)
    assert reprice(store.engine, asked, clock) == Done([], 0)
    assert store.settle_all().corrections == 0
