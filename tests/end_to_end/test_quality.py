"""What people, evaluators and time say of answers, from other processes than the one that answered."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from collector_process import CollectorProcess

ANSWERS = """
import json, sys
import sightline

sightline.init("shop", sys.argv[1], instrument=False)

@sightline.evaluator(run="inline")
def polite(output):
    return True

@sightline.evaluator(source="judge")
def grounded(input, output):
    call("judge-model", "chatcmpl-judge")
    return 0.25

def call(model, response_id):
    message = {"role": "assistant", "content": "12 EUR"}
    with sightline.llm_call(provider="openai", model=model, messages="How much?") as opened:
        opened.record({
            "id": response_id, "model": model, "choices": [{"index": 0, "message": message}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100},
        })

@sightline.agent(evaluators=[polite, grounded])
def answer(model, response_id):
    with sightline.prompt("greet", "How much is {{item}}?", version=3).using(item="the lamp"):
        call(model, response_id)
    with sightline.shadow():
        call("candidate", "chatcmpl-shadow")
    return sightline.traceparent()

told = []
for number, model in enumerate(["gpt-4o-mini", "gpt-4o"]):
    with (
        sightline.context(session_id=f"s{number}", feature="support"),
        sightline.variant("size", {"small": 1 - number, "large": number}, unit="u1"),
    ):
        told.append(answer(model, f"chatcmpl-{number}"))
print(json.dumps(told))
"""

JUDGES = """
import sys
import sightline

sightline.init("desk", sys.argv[1], instrument=False)
first, second = sys.argv[2:]
sightline.feedback(response_id="chatcmpl-0", thumbs="up")
sightline.feedback(session_id="s1", thumbs="down", comment="too dear")
sightline.feedback(first.split("-")[1], signal="copy")
sightline.record_outcome(second, "refund_granted", False)
sightline.record_outcome(second, "refund_granted", True)
"""


def run(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """A collector that was told of two answers by one process, and of what they were worth by another."""
    folder = tmp_path_factory.mktemp("judged") / "data"
    with CollectorProcess(folder, "--segment-age-s", "0.2") as collector:
        collector.start()
        told = json.loads(run(ANSWERS, collector.otlp))
        run(JUDGES, collector.otlp, *told)
        collector.flush()
        yield collector
        assert collector.stop() == 0


def test_judgements_land_on_model_and_prompt(judged: CollectorProcess) -> None:
    """An answer's thumbs, comments and signals count for the model, the prompt and the feature it was of."""
    assert judged.ask(
        "select feature, model, prompt_name, prompt_version, judgements, up, down, comments, signals,"
        " coverage from feedback_summary order by model"
    ) == [
        {"feature": "support", "model": "gpt-4o", "prompt_name": "greet", "prompt_version": "3",
         "judgements": 1, "up": 0, "down": 1, "comments": 1, "signals": 0, "coverage": 1},
        {"feature": "support", "model": "gpt-4o-mini", "prompt_name": "greet", "prompt_version": "3",
         "judgements": 1, "up": 1, "down": 0, "comments": 0, "signals": 1, "coverage": 1},
    ]  # fmt: skip


def test_judgements_find_the_answers_that_they_mean(judged: CollectorProcess) -> None:
    """By response, session, trace or span, now or later."""
    assert judged.ask("select kind, found_by from feedback where source != 'judge' order by all") == [
        {"kind": "outcome", "found_by": "span"},
        {"kind": "score", "found_by": "span"},
        {"kind": "score", "found_by": "span"},
        {"kind": "signal", "found_by": "trace"},
        {"kind": "thumbs", "found_by": "response"},
        {"kind": "thumbs", "found_by": "session"},
    ]


def test_scores_land_on_model_and_variant(judged: CollectorProcess) -> None:
    """Each evaluator's mean, and each outcome, stands by the model and the variant it judges; the last word
    on an outcome counts."""
    scores = judged.ask(
        "select name, source, kind, model, experiment, variant, judgements, mean_score, labels"
        " from feedback_scores where kind != 'thumbs' and kind != 'signal' order by name, model"
    )
    assert [(s["name"], s["model"], s["variant"], s["mean_score"]) for s in scores] == [
        ("grounded", "gpt-4o", "large", 0.25),
        ("grounded", "gpt-4o-mini", "small", 0.25),
        ("polite", "gpt-4o", "large", 1),
        ("polite", "gpt-4o-mini", "small", 1),
        ("refund_granted", "gpt-4o", "large", 1),
    ]
    assert scores[-1] == {
        "name": "refund_granted", "source": "code", "kind": "outcome", "model": "gpt-4o",
        "experiment": "size", "variant": "large", "judgements": 1, "mean_score": 1,
        "labels": {"true": 1},
    }  # fmt: skip


def test_calls_that_nobody_saw_are_told_apart(judged: CollectorProcess) -> None:
    """Shadow calls are counted beside their variant's, and a judge's are of its evaluation."""
    assert judged.ask("select experiment, variant, shadow, calls from variant_comparison order by all") == [
        {"experiment": "size", "variant": variant, "shadow": shadow, "calls": 1}
        for variant in ("large", "small")
        for shadow in (0, 1)
    ]
    assert judged.ask("select feature, calls from cost_by_feature order by feature") == [
        {"feature": "evaluation:grounded", "calls": 2},
        {"feature": "support", "calls": 4},
    ]
