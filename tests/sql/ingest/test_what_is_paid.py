"""Which spans are calls, what they used, and that nothing of it is free in silence."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import NOW_NS, attributes, insert

from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

CHAT = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
USED = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an operation of unknown name with a model and tokens is a call, and noted": (
        {"gen_ai.operation.name": "responses", **CHAT, **USED},
        {"operation": "llm", "cost_usd": Decimal("0.0035"), "notes": ["operation_unknown"]},
    ),
    "an agent's own tokens are not a call": (
        {"gen_ai.agent.name": "planner", **CHAT, **USED},
        {"operation": "agent", "cost_usd": None, "cost_status": "not_a_call"},
    ),
    "a call around the call that carries the same tokens is not paid again": (
        {"gen_ai.operation.name": "chat", **CHAT, **USED, "sightline.usage.aggregated": True},
        {"operation": "chain", "stage": "", "input_tokens": 1000, "cost_status": "not_a_call"},
    ),
    "a framework's call around a client's is not paid again either": (
        {
            "openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "llm.token_count.prompt": 1000,
            "llm.token_count.completion": 100, "llm.cost.total": 0.0035, "sightline.usage.aggregated": True,
        },
        {"operation": "chain", "cost_usd": None, "cost_status": "not_a_call"},
    ),
    "a call that a budget forbade is a guardrail that blocked, not a failed call": (
        {"gen_ai.operation.name": "chat", **CHAT, "sightline.budget.decision": "deny"},
        {"operation": "guardrail", "stage": "guardrail", "blocked": 1, "cost_status": "not_a_call"},
    ),
    "an agent whose calls carry its tokens stays an agent": (
        {"gen_ai.operation.name": "invoke_agent", **CHAT, **USED, "sightline.usage.aggregated": True},
        {"operation": "agent", "cost_usd": None, "cost_status": "not_a_call"},
    ),
    "a chat whose input nobody counted has no cost": (
        {"gen_ai.operation.name": "chat", **CHAT, "gen_ai.usage.output_tokens": 100},
        {"input_tokens": None, "cost_usd": None, "cost_status": "no_usage"},
    ),
    "a count that no call reaches is unknown, so that sums cannot wrap": (
        {"gen_ai.operation.name": "chat", **CHAT, "gen_ai.usage.input_tokens": 2**62},
        {"input_tokens": None, "cost_usd": None, "cost_status": "no_usage"},
    ),
    "thoughts that the total shows outside the output are paid": (
        {
            "openinference.span.kind": "LLM", "llm.provider": "google", "llm.model_name": "gemini-2.5-pro",
            "llm.token_count.prompt": 1000, "llm.token_count.completion": 500,
            "llm.token_count.completion_details.reasoning": 400, "llm.token_count.total": 1900,
        },
        {
            "output_tokens": 900, "cost_usd": Decimal("0.01025"),
            "notes": ["reasoning_added_to_output", "reasoning_added_to_output:total"],
        },
    ),
    "thoughts inside the output are not paid twice": (
        {
            "gen_ai.operation.name": "chat", **CHAT, "gen_ai.request.model": "o3",
            "gen_ai.usage.input_tokens": 75, "gen_ai.usage.output_tokens": 1186,
            "gen_ai.usage.reasoning.output_tokens": 1024,
        },
        {"output_tokens": 1186, "cost_usd": Decimal("0.009638"), "notes": []},
    ),
    "a model of Bedrock's is priced as its own, whichever framework calls it": (
        {
            "gen_ai.operation.name": "chat", "gen_ai.system": "strands-agents", **USED,
            "gen_ai.request.model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        },
        {"cost_usd": Decimal("0.00495"), "cost_status": "assumed"},
    ),
    "a model is known by the path that Google puts before it": (
        {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "gcp.vertex_ai", **USED,
            "gen_ai.request.model": "publishers/google/models/gemini-2.5-pro",
        },
        {"cost_usd": Decimal("0.00225"), "cost_status": "priced"},
    ),
    "searches of the provider's own are paid beside the tokens": (
        {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5", **USED, "sightline.usage.web_searches": 3,
        },
        {"extra_usage": {"web_searches": 3}, "cost_usd": Decimal("0.0345")},
    ),
    "a batch is priced as one": (
        {
            "gen_ai.operation.name": "chat", **CHAT, "gen_ai.request.model": "o3",
            "gen_ai.usage.input_tokens": 10**6, "gen_ai.usage.output_tokens": 10**6,
            "openai.response.service_tier": "batch",
        },
        {"price_context": ["processing=batch"]},
    ),
    "so has a fast answer": (
        {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-opus-4-8", "gen_ai.usage.input_tokens": 10**6,
            "gen_ai.usage.output_tokens": 10**6, "anthropic.response.service_tier": "fast",
        },
        {"cost_usd": Decimal(60)},
    ),
    "a tier may be written in any case": (
        {
            "gen_ai.operation.name": "chat", **CHAT, "gen_ai.request.model": "gpt-4.1",
            "gen_ai.usage.input_tokens": 10**6, "gen_ai.usage.output_tokens": 0,
            "openai.response.service_tier": "PRIORITY",
        },
        {"price_context": ["service_tier=priority"]},
    ),
    "pictures have prices of their own": (
        {
            "gen_ai.operation.name": "generate_content", **CHAT, **USED,
            "gen_ai.request.model": "gpt-image-1",
            "gen_ai.usage.image.input_tokens": 400, "gen_ai.usage.image.output_tokens": 100,
        },
        {
            "extra_usage": {"input_image_tokens": 400, "output_image_tokens": 100},
            "cost_usd": Decimal("0.011"),
        },
    ),
}  # fmt: skip


HUGE = (60_000, 200_000)
Rows = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def rows(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What the span of each case, and one of each huge array, is stored with, by its name."""
    given = {case: said for case, (said, _) in CASES.items()}
    given |= {f"huge {length}": {"x": list(range(length))} for length in HUGE}
    segment = tmp_path_factory.mktemp("paid") / "segment"
    insert(engine, Signal.TRACES, [(_request(*one), 1) for one in given.items()], segment, batch=1)
    return {row["name"]: row for row in engine.rows("select * from spans_v1")}


@pytest.mark.parametrize("case", CASES)
def test_a_span_is_paid_for_what_it_used(rows: Rows, case: str) -> None:
    """Each case's columns are what it says."""
    expected = CASES[case][1]
    assert {column: rows[case][column] for column in expected} == expected


@pytest.mark.parametrize("length", HUGE)
def test_a_huge_array_is_kept_as_bytes_and_holds_nobody_up(rows: Rows, length: int) -> None:
    """Beyond what is unfolded a value stays whole, as its protobuf bytes."""
    assert json.loads(rows[f"huge {length}"]["attributes"]["x"]).keys() == {"$protobuf"}


def _request(name: str, given: dict[str, Any]) -> ExportTraceServiceRequest:
    """One span of this name with these attributes."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(
        trace_id=b"t" * 16, span_id=b"s" * 8, name=name, start_time_unix_nano=NOW_NS,
        end_time_unix_nano=NOW_NS,
    )  # fmt: skip
    span.attributes.extend(attributes(given))
    return request
