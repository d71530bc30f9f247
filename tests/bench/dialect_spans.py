"""Fat model calls as other dialects tell of them: the same facts and texts, under their keys."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from otlp_requests import attributes
from tests.bench import corpus

Facts = dict[str, str | int | float | list[str]]
Said = Callable[[Facts], dict[str, object]]
"""The attributes of a dialect that say what the corpus' own attributes do."""

MODEL, ASKED, ANSWERED = "gen_ai.response.model", "gen_ai.input.messages", "gen_ai.output.messages"
INPUT, OUTPUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
CACHED = "gen_ai.usage.cache_read.input_tokens"


def _openinference(f: Facts) -> dict[str, object]:
    return {
        "openinference.span.kind": "LLM", "llm.provider": f["gen_ai.provider.name"],
        "llm.model_name": f[MODEL],
        "llm.token_count.prompt": f[INPUT], "llm.token_count.completion": f[OUTPUT],
        "llm.token_count.prompt_details.cache_read": f[CACHED], "input.value": f[ASKED],
        "output.value": f[ANSWERED], "llm.invocation_parameters": '{"temperature": 0.7}',
        "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": f[ASKED],
    }  # fmt: skip


def _openllmetry(f: Facts) -> dict[str, object]:
    return {
        "llm.request.type": "chat", "gen_ai.system": f["gen_ai.provider.name"],
        "gen_ai.request.model": f[MODEL],
        "gen_ai.usage.prompt_tokens": f[INPUT], "gen_ai.usage.completion_tokens": f[OUTPUT],
        "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": f[ASKED],
        "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": f[ANSWERED],
        "gen_ai.completion.0.finish_reason": "stop",
    }  # fmt: skip


def _vercel(f: Facts) -> dict[str, object]:
    return {
        "ai.operationId": "ai.streamText.doStream", "ai.model.provider": f"{f['gen_ai.provider.name']}.chat",
        "ai.model.id": f[MODEL], "ai.usage.inputTokens": f[INPUT], "ai.usage.outputTokens": f[OUTPUT],
        "ai.usage.cachedInputTokens": f[CACHED], "ai.prompt.messages": f[ASKED],
        "ai.response.text": f[ANSWERED], "ai.response.msToFirstChunk": 812.4,
        "ai.response.finishReason": "stop",
    }  # fmt: skip


def _langfuse(f: Facts) -> dict[str, object]:
    used = {"input": f[INPUT], "output": f[OUTPUT], "input_cache_read": f[CACHED]}
    return {
        "langfuse.observation.type": "generation", "langfuse.observation.model.name": f[MODEL],
        "langfuse.observation.usage_details": json.dumps(used), "langfuse.observation.input": f[ASKED],
        "langfuse.observation.output": f[ANSWERED], "langfuse.environment": "production",
    }  # fmt: skip


def _mlflow(f: Facts) -> dict[str, object]:
    used = {"input_tokens": f[INPUT], "output_tokens": f[OUTPUT], "cache_read_input_tokens": f[CACHED]}
    return {
        "mlflow.spanType": '"CHAT_MODEL"', "mlflow.llm.model": json.dumps(f[MODEL]),
        "mlflow.chat.tokenUsage": json.dumps(used), "mlflow.spanInputs": f[ASKED],
        "mlflow.spanOutputs": f[ANSWERED], "mlflow.traceRequestId": '"tr-1"',
    }  # fmt: skip


def _langsmith(f: Facts) -> dict[str, object]:
    return {
        "langsmith.span.kind": "llm", "langsmith.metadata.ls_model_name": f[MODEL],
        "gen_ai.usage.input_tokens": f[INPUT], "gen_ai.usage.output_tokens": f[OUTPUT],
        "gen_ai.prompt": f[ASKED], "gen_ai.completion": f[ANSWERED],
        "gen_ai.usage.input_token_details": f"{{'cache_read': {f[CACHED]}}}", "langsmith.span.tags": "a, b",
    }  # fmt: skip


def _strands(f: Facts) -> dict[str, object]:
    return {
        **f, "gen_ai.system": "strands-agents", "gen_ai.server.time_to_first_token": 812,
        "gen_ai.event.start_time": "2026-09-21T00:00:00",
    }  # fmt: skip


def _claude_code(f: Facts) -> dict[str, object]:
    return {
        "span.type": "claude_code.llm_request", "model": f[MODEL], "input_tokens": f[INPUT],
        "output_tokens": f[OUTPUT], "cache_read_tokens": f[CACHED], "new_context": f[ASKED],
        "response.model_output": f[ANSWERED],
    }  # fmt: skip


DIALECTS: dict[str, Said] = {
    "otel-genai": lambda facts: dict(facts),
    "openinference": _openinference,
    "vercel": _vercel,
    "openllmetry": _openllmetry,
    "langfuse": _langfuse,
    "mlflow": _mlflow,
    "langsmith": _langsmith,
    "strands": _strands,
    "claude-code": _claude_code,
}


def requests(count: int, dialects: list[str], seed: int = 7) -> list[bytes]:
    """OTLP trace requests, each of one of the dialects by turns, of as many spans as the corpus' own."""
    chance = random.Random(seed)
    return [
        _said(ExportTraceServiceRequest.FromString(body), DIALECTS[dialects[n % len(dialects)]], chance)
        for n, body in enumerate(corpus.requests(count, seed=seed))
    ]


def _value(value: AnyValue) -> str | int | float | list[str]:
    if value.HasField("array_value"):
        return [each.string_value for each in value.array_value.values]
    found: str | int | float = getattr(value, value.WhichOneof("value"))
    return found


def _said(request: ExportTraceServiceRequest, said: Said, chance: random.Random) -> bytes:
    for span in request.resource_spans[0].scope_spans[0].spans:
        facts: Facts = {pair.key: _value(pair.value) for pair in span.attributes}
        del span.attributes[:]
        more = {key: facts[key] for key in ("user.id", "session.id", "sightline.feature", "server.address")}
        span.attributes.extend(attributes({**said(facts), **more}))
        span.name = f"{chance.choice(('ask', 'answer'))} {facts[MODEL]}"
    return bytes(request.SerializeToString())
