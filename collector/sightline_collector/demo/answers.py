"""What the stand-in says: sentences of the prompt that answer the prompt's question. Pure.

An answer is extracted, never invented: it can only be as good as what was retrieved. Everything random
comes from one generator, so that equal requests with an equal seed have equal answers.
"""

import json
import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sightline_collector.demo.characters import Character, Manner

CHARACTERS_A_TOKEN: Final = 4  # what a tokenizer makes of English prose, about
CACHED_FROM_TOKENS: Final = 1_024  # shorter prompts are not cached by any provider we know
CACHE_STEP_TOKENS: Final = 128
REFUSAL: Final = "I'm sorry, but I can't help with that request."
NOT_FOUND: Final = "I could not find that in the documents that I was given."

_WORD = re.compile(r"[a-z0-9]{3,}")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`@])")
_TOOL_WORDS: Final = 2  # words of a tool's description that a question must share to need it


@dataclass(frozen=True, slots=True)
class Request:
    """The part of a chat-completions request that shapes the answer."""

    messages: Sequence[dict[str, Any]]
    tools: Sequence[dict[str, Any]] = ()
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    name: str
    arguments: str  # JSON


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens: cached are part of prompt, reasoning is part of completion."""

    prompt: int
    cached: int
    completion: int
    reasoning: int


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    finish_reason: str
    usage: Usage
    tool_call: ToolCall | None = None


def compose(request: Request, character: Character, manner: Manner, rng: random.Random) -> Answer:
    """The model's answer to a request."""
    reasoning = rng.randint(*character.reasoning_tokens)
    call = needed_tool(request)
    if call:
        return _answer(request, "", "tool_calls", reasoning, call)
    if rng.random() < manner.refusing_share:
        return _answer(request, REFUSAL, "stop", reasoning)
    text = " ".join(extract(request.messages, rng.randint(*manner.sentences))) or NOT_FOUND
    room = None if request.max_tokens is None else request.max_tokens * CHARACTERS_A_TOKEN
    if room is not None and len(text) > room:
        return _answer(request, text[:room], "length", reasoning)
    return _answer(request, text, "stop", reasoning)


def extract(messages: Sequence[dict[str, Any]], sentences: int) -> list[str]:
    """The sentences that share most with the question, in the order in which they stand."""
    question, material = _question_and_material(messages)
    asked = set(words(question))
    found = list(dict.fromkeys(_sentences(material)))
    ranked = sorted(range(len(found)), key=lambda i: -_overlap(asked, found[i]))[:sentences]
    return [found[i] for i in sorted(ranked) if _overlap(asked, found[i]) > 0]


def needed_tool(request: Request) -> ToolCall | None:
    """The tool that the question needs, with arguments read from the question; none after a tool spoke."""
    if any(message["role"] == "tool" for message in request.messages):
        return None
    question, _ = _question_and_material(request.messages)
    for tool in request.tools:
        function = tool["function"]
        shared = set(words(question)) & set(words(function.get("description", "")))
        arguments = _arguments(function.get("parameters", {}), question)
        if len(shared) >= _TOOL_WORDS and arguments:
            return ToolCall(function["name"], json.dumps(arguments))
    return None


def tokens(text: str) -> int:
    """How many tokens a text has, about."""
    return -(-len(text) // CHARACTERS_A_TOKEN)


def words(text: str) -> list[str]:
    """The words that count in comparing texts: lower case, three letters and more, singular."""
    return [word.removesuffix("s") for word in _WORD.findall(text.lower())]


def _answer(
    request: Request, text: str, finish_reason: str, reasoning: int, call: ToolCall | None = None
) -> Answer:
    prompt = tokens(json.dumps([*request.messages, *request.tools]))
    cached = _sent_before(request) // CACHE_STEP_TOKENS * CACHE_STEP_TOKENS
    written = tokens(text) + (tokens(call.name + call.arguments) if call else 0)
    return Answer(text, finish_reason, Usage(prompt, cached, reasoning + written, reasoning), call)


def _sent_before(request: Request) -> int:
    """Tokens that an earlier request of this conversation began with: what came before its last answer."""
    roles = [message["role"] for message in request.messages]
    answered = max((at for at, role in enumerate(roles) if role == "assistant"), default=0)
    before = tokens(json.dumps([*request.messages[:answered], *request.tools]))
    return before if answered and before >= CACHED_FROM_TOKENS else 0


def _question_and_material(messages: Sequence[dict[str, Any]]) -> tuple[str, str]:
    """The last paragraph that the user wrote, and what to answer it from: a tool's word before passages."""
    asked = [str(m["content"]) for m in messages if m["role"] == "user"]
    told = [str(m["content"]) for m in messages if m["role"] == "tool"]
    *passages, question = asked[-1].split("\n\n") if asked else [""]
    return question, "\n".join(told or passages)


def _sentences(material: str) -> Iterator[str]:
    """Whole sentences; a line such as `[1] README` is a passage's title and says nothing."""
    lines = (line for line in material.splitlines() if not line.startswith("["))
    parts = (part.strip() for line in lines for part in _SENTENCE.split(line))
    yield from (part if part.endswith((".", "!", "?")) else f"{part}." for part in parts if part)


def _overlap(asked: set[str], sentence: str) -> float:
    found = set(words(sentence))
    return len(asked & found) / math.sqrt(3 + len(found))


def _arguments(schema: dict[str, Any], question: str) -> dict[str, str]:
    """A value from the question for each required property that says what it may be; {} if one is missing."""
    values: dict[str, str] = {}
    for name, rule in schema.get("properties", {}).items():
        pattern = "|".join(map(re.escape, rule.get("enum", ()))) or rule.get("pattern", "").strip("^$")
        found = re.search(pattern, question) if pattern else None
        if found:
            values[name] = found.group()
    return values if all(name in values for name in schema.get("required", ())) else {}
