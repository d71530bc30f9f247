"""A model's answer as it comes in, whole or in chunks, and the span attributes that it makes.

    request ─────── first chunk ── first thought ── first content token ──────── last content token
        │ time_to_first_chunk │            │                │                          │
        │ time_to_first_reasoning ─────────│                │                          │
        │ time_to_first_token ──────────────────────────────│ tokens_per_second ───────│

The first chunk of most providers carries only a role or a head. The first token is the first thing of the
answer that a reader sees: text, a refusal, or the beginning of a tool call. Thoughts that the provider shows
are no answer yet: the first of them has a time of its own. Hidden thoughts leave no trace but their count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sightline import attributes
from sightline._estimate import Uncounted
from sightline._messages import Said, input_json, merged_tool_calls, output_json, texts
from sightline._spans.late import Findings
from sightline.latency import tokens_per_second
from sightline.providers import Reader, recognised
from sightline.providers.piece import Piece, ToolPiece
from sightline.usage import NO_USAGE, Usage, latest

_NS_PER_S: Final = 1e9
_NO_PIECES: Final[Sequence[Piece]] = ()


@dataclass(slots=True)
class _Choice:
    texts: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    tool_calls: list[ToolPiece] = field(default_factory=list)
    finish_reason: str | None = None

    def begin_anew(self) -> None:
        self.texts, self.reasoning, self.tool_calls = [], [], []


@dataclass(slots=True, weakref_slot=True)
class Answer:
    """Fed by `response` or by `chunk`; times in ns of the elapsed clock.

    `uncounted` is what `attributes` or `extras` had to guess about; it is counted when the span leaves.
    """

    started_ns: int
    id: str | None = None
    model: str | None = None
    service_tier: str | None = None
    usage: Usage = NO_USAGE
    first_chunk_ns: int | None = None
    first_reasoning_ns: int | None = None
    first_token_ns: int | None = None
    last_token_ns: int | None = None
    uncounted: Uncounted | None = None
    _choices: dict[int, _Choice] = field(default_factory=dict)
    _reader: Reader | None = None
    _begun: bool = False

    def response(self, response: object) -> None:
        """Take a whole response of any provider (object or JSON), or a bare text: it has the last word."""
        if isinstance(response, str):
            self._keep(Piece(text=response, whole=True), None)
            return
        begun: set[int] = set()
        for piece in self._recognised(response):
            if piece.text or piece.tool_calls or piece.reasoning:
                # Where whole and chunk look alike the reader cannot know which one this is.
                first = piece.choice not in begun
                begun.add(piece.choice)
                self._keep(piece._replace(whole=piece.whole or first), None)
            else:
                self._keep(piece, None)

    def chunk(self, chunk: object, at_ns: int) -> None:
        """Take one event of a stream of any provider (object or JSON), or a bare piece of text."""
        if self.first_chunk_ns is None:
            self.first_chunk_ns = at_ns
        if isinstance(chunk, str):
            if chunk:
                self._choice(0).texts.append(chunk)
                self.last_token_ns = at_ns
                self.first_token_ns = at_ns if self.first_token_ns is None else self.first_token_ns
            return
        pieces = None if self._reader is None else self._reader(chunk)
        for piece in self._recognised(chunk) if pieces is None else pieces:
            self._keep(piece, at_ns)

    def attributes(
        self, messages: object, request_model: str | None, *, captures: bool, beside: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Everything a span can say about the answer; usage is estimated where none was reported.

        `beside` are texts that were sent beside the messages, to be counted with them.
        """
        extras = self.extras(messages, request_model, beside)
        values: dict[str, Any] = {**self.usage.to_attributes(), **extras}
        if self.id:  # some servers send an empty one
            values[attributes.RESPONSE_ID] = self.id
        if self.model:
            values[attributes.RESPONSE_MODEL] = self.model
        if self.service_tier is not None:
            values[attributes.SERVICE_TIER] = self.service_tier
        if self.first_chunk_ns is not None:
            values[attributes.TIME_TO_FIRST_CHUNK] = self._since_start(self.first_chunk_ns)
        if reasons := [choice.finish_reason for choice in self._ordered() if choice.finish_reason]:
            values[attributes.FINISH_REASONS] = tuple(reasons)
        if captures and self._choices:
            values[attributes.OUTPUT_MESSAGES] = output_json(self._said())
        if captures and messages is not None:
            values[attributes.INPUT_MESSAGES] = input_json(messages)
        return values

    def extras(
        self, messages: object, request_model: str | None, beside: Sequence[str] = ()
    ) -> dict[str, Any]:
        """What other instrumentations leave out: first token, speed, and usage where none was reported."""
        values: dict[str, Any] = {}
        spoken_s = self._spoken_s()
        if self.lacks_usage:
            sent, model = [*beside, *texts(messages)], self.model or request_model
            said = self.text() if self._choices or self.first_chunk_ns is not None else None
            self.uncounted = Uncounted(sent, said, model, self.usage, spoken_s)
            self.usage = self.uncounted.guessed()
            values = self.uncounted.to_attributes(self.usage)
        elif spoken_s is not None:
            speed = tokens_per_second(self.usage.buckets()["visible_output"], *spoken_s)
            values = {} if speed is None else {attributes.TOKENS_PER_SECOND: speed}
        if self.first_reasoning_ns is not None:
            values[attributes.TIME_TO_FIRST_REASONING] = self._since_start(self.first_reasoning_ns)
        if self.first_token_ns is not None:
            values[attributes.TIME_TO_FIRST_TOKEN] = self._since_start(self.first_token_ns)
        return values

    def to_count(self) -> dict[str, Uncounted]:
        """What to leave on a finished span for the shipping thread to count, if anything."""
        return {} if self.uncounted is None else {attributes.UNCOUNTED: self.uncounted}

    def findings(self) -> Findings | None:
        """As a watcher of its span: its estimate is to be counted."""
        return None if self.uncounted is None else Findings(self.to_count())

    @property
    def finished(self) -> bool:
        """Whether the model said that it had come to an end."""
        return any(choice.finish_reason for choice in self._choices.values())

    @property
    def failed(self) -> bool:
        """Whether the model, or its server, said that it had failed."""
        return any(choice.finish_reason == "error" for choice in self._choices.values())

    @property
    def lacks_usage(self) -> bool:
        """Whether something was generated, or begun, that has no count. A failure costs nothing."""
        usage = self.usage
        if usage.input_tokens is not None and usage.output_tokens is not None:
            return False
        said = any(c.texts or c.tool_calls or c.reasoning for c in self._choices.values())
        return said or (not usage and self._begun and not self.failed)

    def text(self) -> str:
        """All that was generated and shown, as bare text."""
        parts: list[str] = []
        for choice in self._ordered():
            parts += choice.reasoning
            parts += choice.texts
            parts += [f"{call.name or ''}{call.arguments}" for call in merged_tool_calls(choice.tool_calls)]
        return "".join(parts)

    def _recognised(self, thing: object) -> Sequence[Piece]:
        """What a thing brings, by the reader that knows it; that one is asked first the next time."""
        found = recognised(thing)
        if found is None:
            return _NO_PIECES
        self._reader, pieces = found
        return pieces

    def _keep(self, piece: Piece, at_ns: int | None) -> None:
        """Keep what a piece brings; `at_ns` is when, for a piece of a stream."""
        self._begun = True
        # Unpacked at once: looking names up one by one takes twice as long.
        id_, model, usage, tier, index, words, calls, reason, thought, whole, outside = piece
        self.id = self.id or id_
        self.model = self.model or model
        if usage is not None:
            self.usage = latest(self.usage, usage, cache_outside=outside)
        if tier is not None:
            self.service_tier = tier
        if not (words or calls or reason or thought):
            return
        kept = self._choices.get(index) or self._choice(index)
        if whole:
            kept.begin_anew()
        if words:
            kept.texts.append(words)
        if thought:
            kept.reasoning.append(thought)
            if at_ns is not None and self.first_reasoning_ns is None and not whole:
                self.first_reasoning_ns = at_ns
        if calls:
            kept.tool_calls += calls
        if reason:
            kept.finish_reason = reason
        if at_ns is not None and (words or calls):
            if self.first_token_ns is None:
                self.first_token_ns = self.last_token_ns = at_ns
            elif not whole:
                self.last_token_ns = at_ns

    def _spoken_s(self) -> tuple[float, float] | None:
        """When generation began and ended; None when it came in one piece, or not at all.

        Shown thoughts that were not counted apart are among the visible tokens, and timed with them.
        """
        began_ns, ended_ns = self.first_token_ns, self.last_token_ns
        if began_ns is None or ended_ns is None:
            return None
        if self.usage.reasoning_tokens is None and self.first_reasoning_ns is not None:
            began_ns = min(began_ns, self.first_reasoning_ns)
        return began_ns / _NS_PER_S, ended_ns / _NS_PER_S

    def _said(self) -> list[Said]:
        """Words, whole tool calls, finish reason and thoughts of each choice."""
        return [
            Said(
                "".join(choice.texts),
                merged_tool_calls(choice.tool_calls) if choice.tool_calls else (),
                choice.finish_reason,
                "".join(choice.reasoning) if choice.reasoning else "",
            )
            for choice in self._ordered()
        ]

    def _choice(self, index: int) -> _Choice:
        kept = self._choices.get(index)
        if kept is None:
            kept = self._choices[index] = _Choice()
        return kept

    def _ordered(self) -> Sequence[_Choice]:
        if len(self._choices) == 1:
            return tuple(self._choices.values())
        return [choice for _, choice in sorted(self._choices.items())]

    def _since_start(self, at_ns: int) -> float:
        return (at_ns - self.started_ns) / _NS_PER_S
