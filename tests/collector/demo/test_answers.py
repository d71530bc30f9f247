"""What the stand-in model answers."""

import json
import random

import pytest

from sightline_collector.demo import answers
from sightline_collector.demo.answers import NOT_FOUND, REFUSAL, Answer, Request, ToolCall, compose
from sightline_collector.demo.characters import Character, Manner

PASSAGES = (
    "Passages:\n[1] views: cost_by_model\nEach model has one row. The cost of a model is in USD."
    "\n[2] README\nThe log is synced before the answer. Nothing is lost."
)
TOOL = {
    "type": "function",
    "function": {
        "name": "model_price",
        "description": "Look up what a model costs: its price for tokens.",
        "parameters": {
            "type": "object",
            "properties": {"model": {"type": "string", "enum": ["gpt-4o-mini", "gpt-4o"]}},
            "required": ["model"],
        },
    },
}


def asked(question: str, **more: object) -> Request:
    messages = [
        {"role": "system", "content": "Answer from the passages."},
        {"role": "user", "content": f"{PASSAGES}\n\n{question}"},
    ]
    return Request(messages, **more)  # type: ignore[arg-type]


def answer(
    request: Request, *, manner: Manner | None = None, reasoning: tuple[int, int] = (0, 0), seed: int = 1
) -> Answer:
    manner = manner or Manner((1, 1), 0.0)
    return compose(request, Character(1, 1, manner, None, reasoning), manner, random.Random(seed))


def test_an_answer_is_the_sentence_of_the_passages_that_shares_most_with_the_question() -> None:
    """An answer is taken from what was retrieved, never invented."""
    assert answer(asked("What does a model cost in USD?")).text == "The cost of a model is in USD."


def test_sentences_stand_in_the_order_of_the_passages() -> None:
    """A longer answer keeps the order in which its sentences were read."""
    found = answer(asked("Which model costs what, and is the answer synced?"), manner=Manner((3, 3), 0.0))
    assert found.text == (
        "Each model has one row. The cost of a model is in USD. The log is synced before the answer."
    )


def test_a_question_that_shares_no_word_with_the_passages_finds_nothing() -> None:
    """What the passages do not say is not answered."""
    assert answer(asked("Qui êtes-vous?")).text == NOT_FOUND


def test_equal_requests_have_equal_answers() -> None:
    """The seed alone decides what is random."""
    wide = Manner((1, 4), 0.5)
    assert [answer(asked("the model"), manner=wide, seed=n) for n in range(9)] == [
        answer(asked("the model"), manner=wide, seed=n) for n in range(9)
    ]


def test_an_answer_longer_than_the_limit_is_cut_and_says_length() -> None:
    """A limit on tokens cuts the text there, and the finish reason tells."""
    cut = answer(asked("What does a model cost in USD?", max_tokens=3))
    assert (cut.text, cut.finish_reason, cut.usage.completion) == ("The cost of ", "length", 3)


def test_a_refusing_manner_refuses() -> None:
    """A refusal is a whole answer with the finish reason stop."""
    refused = answer(asked("What does a model cost?"), manner=Manner((1, 1), 1.0))
    assert (refused.text, refused.finish_reason) == (REFUSAL, "stop")


def test_a_question_that_fits_a_tool_calls_it_with_arguments_from_the_question() -> None:
    """A tool is called when the question shares words with its description and names its arguments."""
    called = answer(asked("What is the price of gpt-4o-mini tokens?", tools=[TOOL]))
    assert called.tool_call == ToolCall("model_price", json.dumps({"model": "gpt-4o-mini"}))
    assert (called.text, called.finish_reason) == ("", "tool_calls")


@pytest.mark.parametrize(
    "question", ["What is the price of tokens?", "Is gpt-4o good?"], ids=["no argument", "no shared words"]
)
def test_a_tool_is_not_called_without_its_arguments_or_without_need(question: str) -> None:
    """A question that names no argument, or asks for something else, is answered from the passages."""
    assert answer(asked(question, tools=[TOOL])).tool_call is None


def test_after_a_tool_has_spoken_the_answer_is_what_it_said() -> None:
    """A tool's word goes before passages, and no tool is called twice."""
    request = asked("What is the price of gpt-4o tokens?", tools=[TOOL])
    told = [*request.messages, {"role": "assistant"}, {"role": "tool", "content": "The price is 2.50 USD."}]
    assert answer(Request(told, [TOOL])).text == "The price is 2.50 USD."


def test_reasoning_is_part_of_the_completion() -> None:
    """Reasoning tokens are counted among the completion's, as providers do."""
    usage = answer(asked("What does a model cost in USD?"), reasoning=(100, 100)).usage
    assert (usage.reasoning, usage.completion) == (
        100,
        100 + answers.tokens("The cost of a model is in USD."),
    )


def test_only_a_long_prompt_that_was_sent_before_is_cached() -> None:
    """Cached tokens are those of an earlier request of the conversation, in steps of 128, from 1,024 on."""
    first = [{"role": "system", "content": "x" * 5_000}, {"role": "user", "content": "the model"}]
    again = [*first, {"role": "assistant", "content": "?"}, {"role": "user", "content": "the model"}]
    short = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "?"}, *first[1:]]
    assert [answer(Request(m)).usage.cached for m in (first, again, short)] == [0, 1_152, 0]
