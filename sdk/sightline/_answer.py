"""A model's answer as it comes in, whole or in chunks, and the span attributes that it makes.

    request ─────── first chunk ── first content token ──────── last content token
        │ time_to_first_chunk │              │                          │
        │ time_to_first_token ───────────────│ tokens_per_second ───────│

The first chunk of most providers carries only a role; the first token is the first thing a reader sees:
text, a refusal, or the beginning of a tool call.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sightline import attributes
from sightline._estimate import estimate
from sightline._messages import input_json, merged_tool_calls, output_json, texts
from sightline.latency import tokens_per_second
from sightline.usage import Usage, getter, read_usage
from sightline.usage import field as field_of

_NS_PER_S: Final = 1e9
_NO_USAGE: Final = Usage()


@dataclass(slots=True)
class _Choice:
    texts: list[str] = field(default_factory=list)
    tool_calls: list[object] = field(default_factory=list)
    finish_reason: str | None = None


@dataclass(slots=True)
class Answer:
    """Fed by `response` or by `chunk`; times in ns of the elapsed clock."""

    started_ns: int
    id: str | None = None
    model: str | None = None
    usage: Usage = _NO_USAGE
    first_chunk_ns: int | None = None
    first_token_ns: int | None = None
    last_token_ns: int | None = None
    _choices: dict[int, _Choice] = field(default_factory=dict)

    def response(self, response: object) -> None:
        """Take a whole response: a chat completion (object or JSON), or a bare text."""
        if isinstance(response, str):
            self._choice(0).texts.append(response)
            return
        get = getter(response)
        self._head(get)
        for choice in get("choices") or ():
            of_choice = getter(choice)
            of_message = getter(of_choice("message"))
            kept = self._choice(of_choice("index") or 0)
            kept.texts += _words(of_message)
            if calls := of_message("tool_calls"):
                kept.tool_calls += _numbered(calls)
            kept.finish_reason = of_choice("finish_reason")

    def chunk(self, chunk: object, at_ns: int) -> None:
        """Take one chunk of a stream: a chat completion chunk (object or JSON), or a bare piece of text."""
        if self.first_chunk_ns is None:
            self.first_chunk_ns = at_ns
        if self._pieces(chunk):
            self.last_token_ns = at_ns
            if self.first_token_ns is None:
                self.first_token_ns = at_ns

    def attributes(self, messages: object, request_model: str | None, *, captures: bool) -> dict[str, Any]:
        """Everything a span can say about the answer; usage is estimated when none was reported."""
        values: dict[str, Any] = {**self.usage.to_attributes()}
        if not self.usage or self.first_token_ns is not None:
            values |= self.extras(messages, request_model)
        if self.id is not None:
            values[attributes.RESPONSE_ID] = self.id
        if self.model is not None:
            values[attributes.RESPONSE_MODEL] = self.model
        if self.first_chunk_ns is not None:
            values[attributes.TIME_TO_FIRST_CHUNK] = self._since_start(self.first_chunk_ns)
        if reasons := [choice.finish_reason for choice in self._ordered() if choice.finish_reason]:
            values[attributes.FINISH_REASONS] = tuple(reasons)
        if captures and self._choices:
            values[attributes.OUTPUT_MESSAGES] = output_json(self._said())
        if captures and messages is not None:
            values[attributes.INPUT_MESSAGES] = input_json(messages)
        return values

    def extras(self, messages: object, request_model: str | None) -> dict[str, Any]:
        """What other instrumentations leave out: first token, speed, and usage where none was reported."""
        values: dict[str, Any] = {}
        if not self.usage and self._choices:
            self.usage = estimate(texts(messages), self.text(), self.model or request_model)
            values = {**self.usage.to_attributes(), attributes.USAGE_ESTIMATED: True}
        if self.first_token_ns is not None and self.last_token_ns is not None:
            first_s, last_s = self.first_token_ns / _NS_PER_S, self.last_token_ns / _NS_PER_S
            speed = tokens_per_second(self.usage.buckets()["visible_output"], first_s, last_s)
            values[attributes.TIME_TO_FIRST_TOKEN] = self._since_start(self.first_token_ns)
            values |= {} if speed is None else {attributes.TOKENS_PER_SECOND: speed}
        return values

    @property
    def finished(self) -> bool:
        """Whether the model said that it had come to an end."""
        return any(choice.finish_reason for choice in self._ordered())

    def text(self) -> str:
        """All that was generated, as bare text."""
        parts = [text for choice in self._ordered() for text in choice.texts]
        calls = [call["function"] for c in self._ordered() for call in merged_tool_calls(c.tool_calls)]
        return "".join(parts) + "".join(f"{call['name']}{call['arguments']}" for call in calls)

    def _said(self) -> list[tuple[str, Sequence[object], str | None]]:
        """Words, whole tool calls and finish reason of each choice."""
        return [
            ("".join(c.texts), merged_tool_calls(c.tool_calls) if c.tool_calls else (), c.finish_reason)
            for c in self._ordered()
        ]

    def _pieces(self, chunk: object) -> bool:
        """Keep what a chunk brings; says whether it brought something to read."""
        if isinstance(chunk, str):
            self._choice(0).texts.append(chunk)
            return bool(chunk)
        get = getter(chunk)
        self._head(get)
        brought = False
        for choice in get("choices") or ():
            of_choice = getter(choice)
            of_delta = getter(of_choice("delta"))
            kept = self._choice(of_choice("index") or 0)
            words, calls = _words(of_delta), list(of_delta("tool_calls") or ())
            kept.texts += words
            kept.tool_calls += calls
            kept.finish_reason = of_choice("finish_reason") or kept.finish_reason
            brought = brought or bool(words or calls)
        return brought

    def _head(self, get: Callable[[str], Any]) -> None:
        self.id = self.id or get("id")
        self.model = self.model or get("model")
        # Usage in a stream is cumulative: the last word counts, nothing is added up.
        if (reported := get("usage")) is not None:
            self.usage = read_usage(reported) or self.usage

    def _choice(self, index: int) -> _Choice:
        kept = self._choices.get(index)
        if kept is None:
            kept = self._choices[index] = _Choice()
        return kept

    def _ordered(self) -> Iterable[_Choice]:
        return (
            [choice for _, choice in sorted(self._choices.items())]
            if len(self._choices) > 1
            else (self._choices.values())
        )

    def _since_start(self, at_ns: int | None) -> float | None:
        return None if at_ns is None else (at_ns - self.started_ns) / _NS_PER_S


def _words(get: Callable[[str], Any]) -> list[str]:
    return [words for words in (get("content"), get("refusal")) if isinstance(words, str) and words]


def _numbered(calls: Iterable[object]) -> list[object]:
    """Whole tool calls as the pieces of a stream would be."""
    return [
        {"index": number, "id": field_of(call, "id"), "function": field_of(call, "function")}
        for number, call in enumerate(calls)
    ]
