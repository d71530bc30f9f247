"""Real clients and frameworks, all that are installed at once: what becomes of their calls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from collector_process import CollectorProcess
from sdk import anthropic_server, gemini_server, responses_server
from sdk.servers import HELLO, ROLE, chat_model, completion, streamed

PROGRAMS = Path(__file__).with_name("library_programs.py")
SECRET = "my-secret-question"
ANSWER = "Hello there"
TOOL_CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "search", "arguments": json.dumps({"question": SECRET})},
}
MODEL_CALLS = ("llm", "embedding")
PROGRAM_S = 250.0
"""Most of it is work: to import all of them."""

pytestmark = pytest.mark.timeout(PROGRAM_S + 100)


def answering(request: dict[str, Any]) -> tuple[int, Any]:
    """As the prompt asks: refused, dying in the middle, streamed, or whole; in the request's own protocol."""
    text = json.dumps(request)
    if "refused" in text:
        return 429, {"error": {"message": f"slow down: {SECRET}", "type": "rate_limit_error", "code": 429}}
    if "text-embedding" in text:
        vector = {"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}
        usage = {"prompt_tokens": 1_000_000, "total_tokens": 1_000_000}
        return 200, {"object": "list", "model": request["model"], "data": [vector], "usage": usage}
    if "use_tool" in text and '"tool_call_id"' not in text:
        message = {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]}
        return 200, completion(choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}])
    whole, stream, begun = _protocol(request)
    if not request.get("stream", "contents" in request and "whole" not in text):
        return 200, whole
    return 200, begun if "dies" in text else stream


def _protocol(request: dict[str, Any]) -> tuple[Any, list[Any], list[Any]]:
    """A whole answer, a streamed one, and one that ends in the middle."""
    if "contents" in request:
        begun = [gemini_server.content("Hello", None, None), None]
        return gemini_server.content(ANSWER), gemini_server.STREAM, begun
    if "input" in request:
        return responses_server.response(), responses_server.STREAM, [*responses_server.STREAM[:4], None]
    if "claude" in request["model"]:
        return anthropic_server.message(), anthropic_server.STREAM, [*anthropic_server.STREAM[:3], None]
    return completion(), streamed(request)[1], [ROLE, HELLO, None]


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """A running collector, which stores in a few portions what comes in half a minute."""
    with CollectorProcess(tmp_path_factory.mktemp("libraries") / "data", "--segment-age-s", "4") as running:
        running.start()
        yield running
        assert running.stop() == 0


@contextmanager
def running(otlp: str) -> Iterator[subprocess.Popen[str]]:
    """A program that uses them all, on its way, with a model's server of its own."""
    with contextmanager(chat_model)() as model:
        model.script = [answering]
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("OTEL_")},
            "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
            "SIGHTLINE_STRICT": "1",
            "TIKTOKEN_CACHE_DIR": "",  # an estimate is a fourth of the letters
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # its list of prices is not fetched
        }
        with subprocess.Popen(
            [sys.executable, PROGRAMS, model.root_url],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as program:  # fmt: skip
            try:
                yield program
            finally:
                program.kill()


@pytest.fixture(scope="module")
def rows(collector: CollectorProcess) -> dict[str, list[dict[str, Any]]]:
    """Every span of every library, in the order of their starts."""
    with running(collector.otlp) as program:
        output, _ = program.communicate(timeout=PROGRAM_S)
        assert program.returncode == 0, output
        assert "{}" in output.splitlines(), output  # no faults of ours
    collector.flush()
    found = collector.ask("select * from spans order by started_at, duration_ms desc")
    return {name: [row for row in found if row["feature"] == name] for name in EXPECTED}


GPT = {"input_tokens": 1000, "output_tokens": 50, "cache_read_tokens": 800, "cost_usd": 0.00012}
CLAUDE = {"input_tokens": 18495, "output_tokens": 445, "cache_read_tokens": 16399, "cost_usd": 0.01944945}
GEMINI = {"input_tokens": 5000, "output_tokens": 100, "cache_read_tokens": 4000, "cost_usd": 0.00067}
EMBEDDED = {"input_tokens": 1_000_000, "output_tokens": None, "cache_read_tokens": None, "cost_usd": 0.02}
REFUSED = {"input_tokens": None, "output_tokens": None, "cache_read_tokens": None, "cost_usd": None}
BROKEN = "broken"  # estimated; an error

EXPECTED: dict[str, list[dict[str, Any] | str]] = {
    "openai_chat": [GPT, GPT, BROKEN, REFUSED, EMBEDDED],
    "openai_responses": [GPT, GPT, BROKEN, REFUSED],
    "anthropic": [CLAUDE, CLAUDE, BROKEN, REFUSED],
    "google_genai": [GEMINI, GEMINI, BROKEN, REFUSED],
    "litellm": [GPT, GPT, BROKEN, REFUSED, CLAUDE],
    "langchain": [GPT, GPT, BROKEN, REFUSED],
    "openai_agents": [GPT, GPT, GPT, BROKEN, REFUSED],
    "pydantic_ai": [GPT, GPT, BROKEN, REFUSED, CLAUDE],
    "mcp": [],
}
"""What each program's model calls used, in the order in which they were made."""


@pytest.mark.parametrize("content", ["full", "off"])
@pytest.mark.parametrize("library", EXPECTED)
def test_every_call_is_one_paid_row_with_its_tokens(
    rows: dict[str, list[dict[str, Any]]], library: str, content: str
) -> None:
    """However many layers tell of a call: one model call, its tokens, its cost; none lost, none twice."""
    calls = [row for row in rows[library] if row["operation"] in MODEL_CALLS and row["variant"] == content]
    assert len(calls) == len(EXPECTED[library]), [(row["name"], row["scope_name"]) for row in calls]
    for row, expected in zip(calls, EXPECTED[library], strict=True):
        if isinstance(expected, str):
            assert (row["status"], row["tokens_estimated"]) == ("error", 1)
            assert 0 < row["output_tokens"] <= 3
            assert row["cost_usd"] > 0
        else:
            assert {name: row[name] for name in expected} == expected
            assert row["tokens_estimated"] == 0
            assert row["status"] == ("error" if expected is REFUSED else row["status"])


@pytest.mark.parametrize("library", EXPECTED)
def test_every_span_of_a_library_carries_the_context(
    rows: dict[str, list[dict[str, Any]]], library: str
) -> None:
    """User, session, feature and prompt are on the spans of foreign instrumentations, in one trace a run."""
    found = rows[library]
    assert len(found) > 2
    assert {row["user_id"] for row in found} == {"u1"}
    assert {row["session_id"] for row in found} == {"s1"}
    assert {row["variant"] for row in found} == {"full", "off"}
    assert {row["prompt_name"] for row in found} <= {"greet", "search"}
    roots = [row for row in found if row["parent_span_id"] == ""]
    assert [row["name"] for row in roots] == ["program", "program"]
    assert {row["trace_id"] for row in found} == {row["trace_id"] for row in roots}


@pytest.mark.parametrize("library", EXPECTED)
def test_no_content_leaves_when_it_is_off(rows: dict[str, list[dict[str, Any]]], library: str) -> None:
    """Neither prompt nor answer is in any attribute, event or status; with content on the prompt is."""
    texts = {mode: json.dumps([r for r in rows[library] if r["variant"] == mode]) for mode in ("full", "off")}
    assert SECRET not in texts["off"]
    assert ANSWER not in texts["off"]
    assert (SECRET in texts["full"]) is (library != "mcp")  # its spans hold no content at all


def test_content_is_told_once(collector: CollectorProcess, rows: object) -> None:
    """On spans, where our guard decides; OpenTelemetry's instrumentations would tell it in events, too."""
    assert rows
    assert SECRET not in json.dumps(collector.ask("select * from logs"))


def test_a_tool_run_by_an_agent_is_one_tool_row(rows: dict[str, list[dict[str, Any]]]) -> None:
    """The tree of an agent's run: its calls and its tool are below the agent."""
    found = [row for row in rows["openai_agents"] if row["variant"] == "full"]
    names = {row["span_id"]: row["name"] for row in found}
    tree = {(row["operation"], row["name"], names.get(row["parent_span_id"], "")) for row in found}
    assert tree == {
        ("step", "program", ""),
        ("workflow", "invoke_workflow Agent workflow", "program"),
        ("agent", "invoke_agent helper", "invoke_workflow Agent workflow"),
        ("llm", "chat gpt-4o-mini", "invoke_agent helper"),
        ("tool", "execute_tool search", "invoke_agent helper"),
    }
    assert sum(row["operation"] == "tool" for row in found) == 1


def test_the_finish_reason_of_own_spans_is_read(rows: dict[str, list[dict[str, Any]]]) -> None:
    """Anthropic's client has a name of its own for it."""
    reasons = [row["finish_reason"] for row in rows["anthropic"] if row["operation"] == "llm"]
    assert reasons[:2] == ["end_turn", "end_turn"]


def test_a_tool_of_a_server_is_one_tool_row(rows: dict[str, list[dict[str, Any]]]) -> None:
    """The protocol's own spans: one for each tool that was run, and it says whether that failed."""
    tools = [row for row in rows["mcp"] if row["operation"] == "tool" and row["variant"] == "full"]
    assert [(row["tool"], row["status"]) for row in tools] == [("search", "unset"), ("search", "error")]


@pytest.mark.parametrize("library", ["litellm", "pydantic_ai"])
def test_both_layers_of_a_call_are_kept(rows: dict[str, list[dict[str, Any]]], library: str) -> None:
    """The framework's span around the client's is a chain, marked, with what it said of tokens."""
    outer = [row for row in rows[library] if "sightline.usage.aggregated" in row["attributes"]]
    assert outer
    assert {(row["operation"], row["cost_usd"], row["cost_status"]) for row in outer} == {
        ("chain", None, "not_a_call")
    }
    ids = {row["span_id"] for row in outer}
    inner = [row for row in rows[library] if row["parent_span_id"] in ids]
    assert {row["operation"] for row in inner} == {"llm"}


def test_costs_of_all_libraries_add_up(collector: CollectorProcess, rows: object) -> None:
    """The views count each call and its tokens once."""
    (row,) = collector.ask(
        "select calls, input_tokens, unpriced_calls from cost_by_model where model = 'gpt-4o-mini-2024-07-18'"
    )
    whole = sum(entry is GPT for library in EXPECTED.values() for entry in library) * 2
    assert row["unpriced_calls"] == 0
    assert row["input_tokens"] >= whole * 1000
    assert row["calls"] == whole + 2 * sum(
        entry == BROKEN for name, library in EXPECTED.items() for entry in library
        if name not in ("anthropic", "google_genai")
    )  # fmt: skip
