"""Functions that judge answers: where they run, what they leave, and that they do no harm."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any

import pytest
from sdk.judges import grounded

import sightline
from sightline._background import evaluations
from sightline.evaluation import Evaluator
from sightline.testing import Captured, CapturedSpan


@sightline.evaluator(run="inline")
def short(input: object, output: str) -> bool:
    return len(output) < 10


def inline(function: Callable[..., Any], name: str = "e") -> Evaluator[..., Any]:
    """The function as an evaluator whose verdict is there at once."""
    return sightline.evaluator(name=name, run="inline")(function)


def verdicts(seen: Captured) -> dict[str, dict[str, Any]]:
    """What each evaluation event says, by name, without ids."""
    return {
        log.attributes["gen_ai.evaluation.name"]: {
            key: value for key, value in log.attributes.items() if not key.endswith((".id", ".name"))
        }
        for log in seen.logs
    }


def test_an_inline_evaluator_is_a_child_and_its_score_is_on_the_span(seen: Captured) -> None:
    """The program waits for it, so it is part of the trace; it carries nothing of what it judges."""
    with sightline.context(user_id="u1", feature="support", variant="B"), sightline.stage("work"):
        found = sightline.evaluate(short, input="q", output="a")
    assert found == {"short": sightline.Score(1.0, "true")}
    work, judging = seen.span("work"), seen.span("evaluate short")
    assert work.attributes["sightline.score.short"] == 1.0
    assert judging == CapturedSpan(
        name="evaluate short",
        kind="internal",
        trace_id=work.trace_id,
        span_id=f"{2:016x}",
        parent_span_id=work.span_id,
        start_ns=1767225600_001_000_000,
        end_ns=1767225600_002_000_000,
        status="unset",
        status_message=None,
        attributes={
            "sightline.operation": "evaluator",
            "sightline.stage": "evaluation",
            "gen_ai.evaluation.name": "short",
            "gen_ai.evaluation.score.value": 1.0,
            "gen_ai.evaluation.score.label": "true",
            "sightline.feature": "evaluation:short",
        },
        events=[],
    )
    assert [(log.trace_id, log.span_id) for log in seen.logs] == [(work.trace_id, work.span_id)]


def test_a_background_evaluator_has_a_trace_of_its_own(seen: Captured) -> None:
    """It is linked to what it judges; its model calls cost nobody's feature, user, session or prompt."""
    with (
        sightline.context(user_id="u1", session_id="s1", feature="support", prompt=("p", 1)),
        sightline.stage("work"),
    ):
        assert sightline.evaluate(grounded, input="q", output="a") == {}
    assert sightline.flush()
    work, judging, call = seen.span("work"), seen.span("evaluate grounded"), seen.span("chat judge")
    assert judging.parent_span_id is None
    assert judging.trace_id != work.trace_id
    assert judging.links == [(work.trace_id, work.span_id)]
    assert call.parent_span_id == judging.span_id
    carried = {"user.id", "session.id", "gen_ai.conversation.id", "gen_ai.prompt.name"}
    for span in (judging, call):
        assert span.attributes["sightline.feature"] == "evaluation:grounded"
        assert not carried & span.attributes.keys()
    (event,) = seen.logs
    assert (event.trace_id, event.span_id) == (work.trace_id, work.span_id)
    assert {key: value for key, value in event.attributes.items() if not key.endswith("feedback.id")} == {
        "gen_ai.evaluation.name": "grounded",
        "gen_ai.evaluation.score.value": 0.25,
        "gen_ai.evaluation.score.label": "poor",
        "gen_ai.evaluation.explanation": "says more than it knows",
        "sightline.feedback.source": "judge",
        "sightline.feedback.kind": "score",
        "user.id": "u1",
        "session.id": "s1",
        "sightline.feature": "support",
    }


@pytest.mark.parametrize("run", ["inline", "background"])
def test_an_evaluator_that_fails_is_an_evaluation_with_its_error(seen: Captured, run: Any) -> None:
    """The program goes on; the event has an error's type instead of a score, and the span the exception."""

    @sightline.evaluator(run=run)
    def failing(output: object) -> float:
        return 1 / 0

    with sightline.stage("work"):
        assert sightline.evaluate(failing, output="a") == {}
    assert sightline.flush()
    assert verdicts(seen) == {
        "failing": {
            "sightline.feedback.source": "code",
            "sightline.feedback.kind": "error",
            "error.type": "ZeroDivisionError",
        }
    }
    judging = seen.span("evaluate failing")
    assert (judging.status, judging.attributes["error.type"]) == ("error", "ZeroDivisionError")
    assert [event[0] for event in judging.events] == ["exception"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (0.5, {"gen_ai.evaluation.score.value": 0.5}),
        (False, {"gen_ai.evaluation.score.value": 0.0, "gen_ai.evaluation.score.label": "false"}),
        ("rude", {"gen_ai.evaluation.score.label": "rude"}),
        (sightline.Score(label="x", comment="y"), {
            "gen_ai.evaluation.score.label": "x", "gen_ai.evaluation.explanation": "y"}),
        (sightline.Score(True), {
            "gen_ai.evaluation.score.value": 1.0, "gen_ai.evaluation.score.label": "true"}),
        ([1], {"error.type": "ValueError"}),
        (float("nan"), {"error.type": "ValueError"}),
        (sightline.Score(), {"error.type": "ValueError"}),
    ],
)  # fmt: skip
def test_every_kind_of_verdict(seen: Captured, answer: Any, said: dict[str, Any]) -> None:
    """Numbers, answers, labels and Scores are verdicts; anything else is an evaluator's failure."""
    with sightline.stage("work"):
        sightline.evaluate(inline(lambda output: answer), output="a")
    found = {k: v for k, v in verdicts(seen)["e"].items() if not k.startswith("sightline.feedback.")}
    assert found == said


def test_an_evaluator_that_has_nothing_to_say_says_nothing(seen: Captured) -> None:
    """None is no verdict, and no failure either."""
    with sightline.stage("work"):
        found = sightline.evaluate(inline(lambda output: None), output="a")
    assert (found, seen.logs) == ({}, [])
    assert seen.span("evaluate e").status == "unset"


ASKING: dict[str, tuple[Callable[..., Any], str]] = {
    "input and output by name, in any order": (lambda output, input: f"{input}{output}", "io"),
    "the output alone": (lambda output: output, "o"),
    "the first two, whatever they are called": (lambda question, answer: f"{question}{answer}", "io"),
    "the first alone": (lambda question: question, "i"),
    "more by name": (lambda output, expected: f"{output}{expected}", "ox"),
    "more after the first two": (lambda q, a, *, expected: f"{q}{a}{expected}", "iox"),
    "a default for what is not given": (lambda output, passages="-": f"{output}{passages}", "o-"),
    "everything": (lambda **given: "".join(sorted(given)), "expectedinputoutput"),
}


@pytest.mark.parametrize("case", ASKING)
def test_an_evaluator_is_given_what_it_asks_for(seen: Captured, case: str) -> None:
    """By name where it names them, by place otherwise."""
    function, label = ASKING[case]
    with sightline.stage("work"):
        found = sightline.evaluate(inline(function), input="i", output="o", expected="x")
    assert found == {"e": sightline.Score(label=label)}


def test_coroutines_judge_in_the_background(seen: Captured) -> None:
    """They have an event loop of their own there; inline there may be none to wait in."""

    @sightline.evaluator
    async def patient(output: str) -> float:
        await asyncio.sleep(0)
        return 1.0

    with sightline.stage("work"):
        sightline.evaluate(patient, output="a")
    assert sightline.flush()
    assert verdicts(seen)["patient"]["gen_ai.evaluation.score.value"] == 1.0
    with pytest.raises(sightline.ConfigurationError, match="a coroutine: it can run in the background only"):
        sightline.evaluator(run="inline")(patient._function)


def test_a_coroutine_in_disguise_is_a_failure_inline(seen: Captured) -> None:
    """A function that answers with a coroutine shows it too late to be refused; nothing is left unawaited."""

    async def verdict() -> float:
        return 1.0

    with sightline.stage("work"):
        assert sightline.evaluate(inline(lambda output: verdict()), output="a") == {}
    assert verdicts(seen)["e"]["error.type"] == "ValueError"


def test_an_evaluator_is_still_the_function_that_it_was(seen: Captured) -> None:
    """Called by the program it just answers."""
    assert short("q", "a" * 20) is False
    assert (seen.spans, seen.logs) == ([], [])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sample": 1.5}, r"evaluator\(sample=1.5\): give a share of traces from 0 to 1"),
        ({"sample": float("nan")}, r"evaluator\(sample=nan\)"),
        ({"run": "later"}, r"evaluator\(run='later'\): give one of inline, background"),
        ({"source": "me"}, r"evaluator\(source='me'\): give one of user, annotator, judge, code, implicit"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options: Any, says: str) -> None:
    """When the evaluator is made, not when it should judge."""
    with pytest.raises(sightline.ConfigurationError, match=says):
        sightline.evaluator(**options)


def test_a_share_of_the_traces_is_judged_and_by_all_evaluators_the_same() -> None:
    """Sampling is by trace: the tenth that one evaluator judges is among the third that another does."""
    judged: dict[str, set[int]] = {"tenth": set(), "third": set(), "none": set()}

    def made(name: str, sample: float) -> Evaluator[..., Any]:
        @sightline.evaluator(name=name, run="inline", sample=sample)
        def judge(output: int) -> None:
            judged[name].add(output)

        return judge

    all_three = made("tenth", 0.1), made("third", 0.33), made("none", 0)
    for trace_id in range(1, 3_001):
        sightline.evaluate(*all_three, output=trace_id, target=f"00-{trace_id:032x}-{1:016x}-01")
    assert judged["tenth"] <= judged["third"]
    assert 230 < len(judged["tenth"]) < 370
    assert 850 < len(judged["third"]) < 1_130
    assert judged["none"] == set()


# -- Decorated functions ---------------------------------------------------------------------------


def test_decorated_functions_are_judged_at_every_call(seen: Captured) -> None:
    """The evaluator is given the arguments by name and the result, and judges the function's span."""
    given: list[tuple[Any, Any]] = []

    @sightline.evaluator(run="inline")
    def note(input: Any, output: Any) -> float:
        given.append((input, output))
        return len(given)

    @sightline.step(evaluators=[note])
    def plain(a: int, b: int = 2) -> int:
        return a + b

    @sightline.agent(evaluators=[note])
    async def coroutine(a: int) -> int:
        return a

    @sightline.step(evaluators=[note])
    def stream(a: int) -> Generator[str]:
        yield from ("x", "y")

    @sightline.llm(model="m", evaluators=[note], capture=False)
    def call(messages: list[dict[str, str]]) -> Generator[str]:
        yield from ("Hel", "lo")

    asked = [{"role": "user", "content": "Hi"}]
    assert (plain(1, b=3), asyncio.run(coroutine(5)), list(stream(6))) == (4, 5, ["x", "y"])
    assert list(call(asked)) == ["Hel", "lo"]
    assert given == [({"a": 1, "b": 3}, 4), ({"a": 5}, 5), ({"a": 6}, "xy"), (asked, "Hello")]
    names = ["plain", "invoke_agent coroutine", "stream", "chat m"]
    assert [seen.span(name).attributes["sightline.score.note"] for name in names] == [1, 2, 3, 4]
    assert [log.span_id for log in seen.logs] == [seen.span(name).span_id for name in names]


def test_judging_is_no_part_of_how_long_an_answer_took(seen: Captured) -> None:
    """The judged span ends when its work did, however long an inline evaluator takes."""

    @sightline.llm(provider="openai", model="m", evaluators=[short])
    def call() -> str:
        return "Hello"

    call()
    judged, judging = seen.span("chat m"), seen.span("evaluate short")
    assert judged.start_ns < judged.end_ns < judging.start_ns < judging.end_ns
    assert judged.attributes["sightline.score.short"] == 1.0


def test_a_call_that_fails_is_not_judged(seen: Captured) -> None:
    """There is no answer to judge."""

    @sightline.step(evaluators=[short])
    def failing() -> str:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        failing()
    assert [span.name for span in seen.spans] == ["failing"]


def test_what_is_no_evaluator_is_refused_at_the_decorator() -> None:
    """A plain function has no name, rate or place to run of its own."""
    with pytest.raises(sightline.ConfigurationError, match=r"@step\(evaluators=...\): .* make it @evaluator"):
        sightline.step(evaluators=[len])  # type: ignore[list-item]


@pytest.mark.parametrize("run", ["inline", "background"])
def test_what_an_evaluator_calls_is_not_evaluated(seen: Captured, run: Any) -> None:
    """An evaluator that calls the function that it judges ends, and has judged once."""

    @sightline.evaluator(name="again", run=run)
    def again(output: str) -> bool:
        return answer("and so?") == output

    @sightline.agent(evaluators=[again])
    def answer(question: str) -> str:
        return "so"

    answer("why?")
    assert evaluations.drain(30)
    assert sorted(span.name for span in seen.spans) == [
        "evaluate again",
        "invoke_agent answer",
        "invoke_agent answer",
    ]
    assert len(seen.logs) == 1


class Judges:
    """Functions that could never be called with an answer."""

    def method(self, input: object, output: object) -> bool:
        return True

    @staticmethod
    def by_place(input: object, output: object, /) -> bool:
        return True

    @staticmethod
    def by_place_and_more(question: object, /, **more: object) -> bool:
        return True

    @staticmethod
    def by_other_names(*, question: object, answer: object) -> bool:
        return True


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (Judges.method, "bound method"),
        (Judges.by_place, "take the '/' out"),
        (Judges.by_place_and_more, "take the '/' out"),
        (Judges.by_other_names, "name one of its parameters 'output'"),
    ],
)
def test_a_function_that_could_never_be_called_is_refused(function: Any, says: str) -> None:
    """The decorator says what to do, instead of an evaluation that fails at every answer."""
    with pytest.raises(sightline.ConfigurationError, match=says):
        sightline.evaluator(function)
    assert sightline.evaluator(Judges().method)


def test_half_an_answer_is_not_judged(seen: Captured) -> None:
    """A reader who leaves before a stream's end has seen what no evaluator could make sense of."""
    judged: list[object] = []

    @sightline.evaluator(run="inline")
    def note(output: object) -> float:
        judged.append(output)
        return 1.0

    @sightline.step(evaluators=[note])
    def words() -> Generator[str]:
        yield from ("half", "whole")

    stream = words()
    assert next(stream) == "half"
    stream.close()
    assert (judged, seen.span("words").status) == ([], "unset")
    assert "".join(words()) == "halfwhole"
    assert judged == ["halfwhole"]
