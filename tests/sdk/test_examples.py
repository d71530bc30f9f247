"""The examples run as they stand, and send what their first lines promise."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sdk.programs import unused_port
from sdk.servers import ChatModel, OtlpSink, attributes_of, completion, streamed

EXAMPLES = Path(__file__).parents[2] / "sdk" / "examples"


def asked_for_tools(request: dict[str, Any]) -> tuple[int, Any]:
    """Ask for the tool twice at once, as models do; answer when it has."""
    if request["messages"][-1]["role"] == "tool":
        return 200, completion()
    calls = [
        {
            "id": city,
            "type": "function",
            "function": {"name": "weather", "arguments": json.dumps({"city": city})},
        }
        for city in ("Oslo", "Rome")
    ]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    return 200, completion(choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}])


def judging(request: dict[str, Any]) -> tuple[int, Any]:
    asked = request["messages"][-1]["content"]
    said = "Yes, they do." if "yes or no" in asked else "It costs 12 EUR."
    message = {"role": "assistant", "content": said}
    return 200, completion(choices=[{"index": 0, "message": message, "finish_reason": "stop"}])


def environment(model: ChatModel, sink: OtlpSink) -> dict[str, str]:
    return os.environ | {
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_API_KEY": "k",
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
        "SIGHTLINE_STRICT": "1",
    }


Run = Callable[..., str]


@pytest.fixture
def run(model: ChatModel, sink: OtlpSink) -> Run:
    """Run an example to its normal end; what it prints."""

    def run(name: str, answer: Any = lambda request: (200, completion())) -> str:
        model.script = [answer]
        done = subprocess.run(
            [sys.executable, EXAMPLES / name],
            env=environment(model, sink),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def promised(name: str) -> list[str]:
    """The tree in an example's first lines: one name a line, two spaces a level."""
    text = (EXAMPLES / name).read_text().split('"""')[1]
    tree = text.rpartition(":\n\n")[2].rstrip().splitlines()
    return [line.removeprefix("    ") for line in tree]


def arrived(sink: OtlpSink) -> list[str]:
    """The spans as a tree, in the order of their starts."""
    spans = sorted(sink.spans, key=lambda span: span.start_time_unix_nano)
    known = {span.span_id for span in spans}

    def lines(parent: bytes, depth: int) -> Iterator[str]:
        for span in spans:
            if span.parent_span_id == parent or (not parent and span.parent_span_id not in known):
                yield "  " * depth + span.name
                yield from lines(span.span_id, depth + 1)

    return list(lines(b"", 0))


def named(sink: OtlpSink, name: str) -> list[dict[str, Any]]:
    return [attributes_of(span) for span in sink.spans if span.name == name]


def test_every_example_is_run_here() -> None:
    """An example without a test is no example."""
    tests = Path(__file__).read_text()
    assert [path.name for path in EXAMPLES.glob("*.py") if f'"{path.name}"' not in tests] == []


def test_quickstart(run: Run, sink: OtlpSink) -> None:
    """An agent's call has its passages, its tokens and its cost, and is somebody's."""
    assert run("quickstart.py") == "Hello there\n"
    assert arrived(sink) == promised("quickstart.py")
    (call,) = named(sink, "chat gpt-4o-mini")
    whose = {"user.id": "u1", "session.id": "s1", "sightline.feature": "shop"}
    assert whose.items() <= call.items()
    assert call["sightline.cost_usd"] == "0.00012"


def test_streaming_chat(run: Run, sink: OtlpSink) -> None:
    """Streamed turns have usage and the first word's time, and are one session."""
    assert "Hello there" in run("streaming_chat.py", streamed)
    assert arrived(sink) == promised("streaming_chat.py")
    calls = named(sink, "chat gpt-4o-mini")
    assert {call["session.id"] for call in calls} == {"conversation-1"}
    assert all(call["gen_ai.usage.input_tokens"] == 1000 for call in calls)
    assert all(call["sightline.time_to_first_token"] > 0 for call in calls)


def test_tools_in_threads(run: Run, sink: OtlpSink) -> None:
    """Tools in a pool are the agent's children, with arguments and results."""
    run("tools_in_threads.py", asked_for_tools)
    assert sorted(arrived(sink)) == sorted(promised("tools_in_threads.py"))
    tools = named(sink, "execute_tool weather")
    assert {json.loads(tool["gen_ai.tool.call.arguments"])["city"] for tool in tools} == {"Oslo", "Rome"}


def test_web_service(model: ChatModel, sink: OtlpSink, until: Callable[[Callable[[], object]], None]) -> None:
    """A streamed answer over HTTP is one trace of its user and session, and can be judged afterwards."""
    model.script = [streamed]
    port = unused_port()
    service = subprocess.Popen(
        [sys.executable, EXAMPLES / "web_service.py"],
        env=environment(model, sink) | {"PORT": str(port)},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"x-user-id": "u1"}) as client:
            until(lambda: answers(client))
            reply = client.post("/chats/7", json={"text": "Hi"})
            opinion = {"traceparent": reply.headers["x-traceparent"], "thumbs": "down"}
            assert client.post("/feedback", json=opinion).json()["id"]
        assert reply.text == "Hello there"
    finally:
        service.send_signal(signal.SIGINT)
        service.wait(30)
    assert arrived(sink) == promised("web_service.py")
    (request,) = [span for span in sink.spans if span.name == "POST /chats/{chat_id}"]
    whose = {"user.id": "u1", "session.id": "7", "sightline.feature": "/chats/{chat_id}"}
    for values in (attributes_of(request), *named(sink, "chat gpt-4o-mini")):
        assert whose.items() <= values.items()
    (judged,) = sink.logs
    assert judged.span_id == request.span_id
    assert attributes_of(judged)["gen_ai.evaluation.score.label"] == "down"


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 404
    except httpx.TransportError:
        return False


def test_prompts_ab(run: Run, sink: OtlpSink) -> None:
    """Each call says experiment, variant, prompt and version, and each user is scored."""
    said = run("prompts_ab.py").split()
    assert arrived(sink) == promised("prompts_ab.py") * 4
    for call in named(sink, "chat gpt-4o-mini"):
        assert call["sightline.experiment"] == "greeting-tone"
        assert call["gen_ai.prompt.name"] == "greeting"
        assert call["gen_ai.prompt.version"] == {"plain": "1", "warm": "2"}[call["sightline.variant"]]
        assert call["gen_ai.prompt.variable.name"] == call["user.id"]
    assert {"plain:", "warm:"} <= set(said)
    assert len(sink.logs) == 4


def test_budget_guard(run: Run, sink: OtlpSink, model: ChatModel) -> None:
    """The fourth call is on record as denied, was never made, and the agent says why it stopped."""
    assert run("budget_guard.py").startswith("Stopped: ")
    assert arrived(sink) == promised("budget_guard.py")
    assert len(model.requests) == 3
    decisions = [call.get("sightline.budget.decision") for call in named(sink, "chat gpt-4o-mini")]
    assert decisions == [None, None, None, "deny"]
    (agent,) = named(sink, "invoke_agent search_for_ever")
    assert agent["error.type"] == "BudgetExceeded"


def test_worker_queue(run: Run, sink: OtlpSink) -> None:
    """The worker's call is in the trace of the order, for the same user, from another service."""
    assert run("worker_queue.py") == "Hello there\n"
    assert arrived(sink) == promised("worker_queue.py")
    (call,) = named(sink, "chat gpt-4o-mini")
    assert (call["user.id"], call["sightline.feature"]) == ("u1", "digest")
    services = {
        pair.value.string_value
        for request in sink.traces
        for resource in request.resource_spans
        for pair in resource.resource.attributes
        if pair.key == "service.name"
    }
    assert services == {"shop", "worker"}


def test_judged_answers(run: Run, sink: OtlpSink) -> None:
    """Both verdicts are on the answer's span; the judge's cost is a feature of its own."""
    assert run("judged_answers.py", judging) == "It costs 12 EUR.\n"
    assert arrived(sink) == promised("judged_answers.py")
    (judged,) = [span for span in sink.spans if span.name == "invoke_agent answer"]
    verdicts = {attributes_of(log)["gen_ai.evaluation.name"]: log for log in sink.logs}
    assert verdicts.keys() == {"short", "grounded"}
    assert {log.span_id for log in verdicts.values()} == {judged.span_id}
    features = {call["sightline.feature"] for call in named(sink, "chat gpt-4o-mini")}
    assert features == {"shop", "evaluation:grounded"}
