"""One call, seen by two layers: a framework's span around a client's, both with the call's tokens.

    chat (pydantic-ai)      ── covered: told twice, marked as aggregated, not billed
      └── chat (openai)     ── with usage: billed, this is what was sent, retries and fallbacks included

The innermost call with usage is the billed one; where none has usage, the innermost that failed is the one
to count. An embedding inside of a chat is beside it, and so is what a tool or a judge calls on the way.

A span below a model call is followed from its start to its end; every other span costs one look. What a span
is, is known only at its end: OpenInference says then that it is a model call, so all its spans are followed.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan, Span
from opentelemetry.trace import StatusCode

from sightline import attributes
from sightline._outgoing import amended
from sightline._spans.attributes import attributes_of
from sightline._spans.late import Findings

MAX_FOLLOWED: Final = 10_000  # spans that never end would be followed for ever; the oldest are given up

_GENERATION: Final = "generation"
EMBEDDINGS: Final = "embeddings"
_FOREIGN_SCOPE: Final = "openinference."
_FOREIGN_KIND: Final = "openinference.span.kind"
_FOREIGN_KINDS: Final = {"LLM": _GENERATION, "EMBEDDING": EMBEDDINGS}
_FOREIGN_USAGE: Final = ("llm.token_count.prompt", "llm.token_count.completion")
_USAGE: Final = (attributes.INPUT_TOKENS, attributes.OUTPUT_TOKENS, *_FOREIGN_USAGE)
# What is called on the way to an answer is not the answer: by a tool, by a guardrail, by a judge.
_ASIDE: Final[Mapping[str, frozenset[str]]] = {
    attributes.OPERATION: frozenset({"tool", "retrieval", "guardrail", "evaluator"}),
    attributes.GEN_AI_OPERATION: frozenset({"execute_tool", "retrieval"}),
    _FOREIGN_KIND: frozenset({"TOOL", "RETRIEVER", "RERANKER", "GUARDRAIL", "EVALUATOR"}),
}
_DEEPEST: Final = 100  # spans above a call that are looked at before it
_NONE: Final[frozenset[str]] = frozenset()
_AGGREGATED: Final = Findings(added={attributes.USAGE_AGGREGATED: True})


class _Followed:
    """A running span that is, or is below, a model call; the kinds of call below it that have ended, and the
    spans there that have not.
    """

    __slots__ = ("aside", "billed", "failed", "kind", "parent_id", "running")

    def __init__(self, parent_id: int, values: Mapping[str, Any]) -> None:
        self.parent_id = parent_id
        self.kind, self.aside = _kind_of(values), is_aside(values)  # as far as it is known at its start
        self.billed: frozenset[str] = _NONE  # with usage
        self.failed: frozenset[str] = _NONE  # without
        self.running: dict[int, Span] = {}  # below it, nearest first, by span id


_followed: dict[int, _Followed] = {}  # by span id


def started(span: Span) -> None:
    """Follow a span, if it may be a model call or is below one."""
    parent: Any = span.parent
    parent_id = 0 if parent is None else parent.span_id
    values = attributes_of(span)
    above = _followed.get(parent_id)
    if above is not None or may_be_call(span, values):
        if above is not None:
            above.running[span.context.span_id] = span
        if len(_followed) >= MAX_FOLLOWED:
            with suppress(RuntimeError, StopIteration):  # another thread was faster
                _followed.pop(next(iter(_followed)), None)
        _followed[span.context.span_id] = _Followed(parent_id, values)


def ended(span: ReadableSpan) -> ReadableSpan:
    """The span, marked when a call below it is the one to count; those above hear of this one."""
    followed = _followed.pop(span.context.span_id, None) if _followed else None
    if followed is None:
        return span
    above = _followed.get(followed.parent_id)
    if above is None and not followed.billed and not followed.failed and not followed.running:
        return span  # most calls: one layer, nobody above to hear of it
    values = attributes_of(span)
    kind = _kind_of(values)
    has_usage = any(name in values for name in _USAGE)
    if above is not None:
        above.running.pop(span.context.span_id, None)
    if above is not None and not is_aside(values):
        _handed_up(followed, above)
        own = frozenset({kind}) if kind else _NONE
        failed = not has_usage and span.status.status_code is StatusCode.ERROR
        above.billed |= followed.billed | (own if has_usage else _NONE)
        above.failed |= followed.failed | (own if failed else _NONE)
    told_below = kind in followed.billed or (not has_usage and kind in followed.failed)
    told_below = told_below or (bool(followed.running) and _is_called(kind, followed, _DEEPEST))
    return amended(span, _AGGREGATED) if told_below else span


def _handed_up(followed: _Followed, above: _Followed) -> None:
    """What outlives a span is below the next one up."""
    for span_id, span in followed.running.items():
        if span_id in _followed:
            _followed[span_id].parent_id, above.running[span_id] = followed.parent_id, span


def forget(span_ids: Iterable[int]) -> None:
    """These spans will not end any more."""
    for span_id in span_ids:
        _followed.pop(span_id, None)


def one_with(span_id: int) -> list[int]:
    """This running span, and those above it whose call a call that it makes, or is, would be."""
    found: list[int] = []
    kind, followed = "", _followed.get(span_id)
    while followed is not None and len(found) < _DEEPEST:
        if not kind or not followed.kind or followed.kind == kind:
            found.append(span_id)
        if followed.aside:
            break
        kind = kind or followed.kind
        span_id, followed = followed.parent_id, _followed.get(followed.parent_id)
    return found


def _is_called(kind: str, followed: _Followed, depth: int) -> bool:
    """Whether a call of this kind is still at work below: a stream that outlives who asked for it."""
    for span_id, span in tuple(followed.running.items()):
        values = attributes_of(span)
        if is_aside(values) or span_id not in _followed:
            continue
        if kind and _kind_of(values) == kind:
            return True
        if depth and _is_called(kind, _followed[span_id], depth - 1):
            return True
    return False


def is_aside(values: Mapping[str, Any]) -> bool:
    """Whether a span's work is done on the way to an answer, and is not the answer."""
    return any(values.get(name) in kinds for name, kinds in _ASIDE.items())


def may_be_call(span: object, values: Mapping[str, Any]) -> bool:
    """Whether a running span is a model call, or may turn out to be one."""
    if values.get(attributes.GEN_AI_OPERATION) in attributes.MODEL_OPERATIONS:
        return True
    scope = getattr(span, "instrumentation_scope", None)
    return scope is not None and scope.name.startswith(_FOREIGN_SCOPE)


def _kind_of(values: Mapping[str, Any]) -> str:
    """What kind of model call a finished span is; '' when it is none."""
    operation = values.get(attributes.GEN_AI_OPERATION)
    if operation in attributes.MODEL_OPERATIONS:
        return EMBEDDINGS if operation == EMBEDDINGS else _GENERATION
    return _FOREIGN_KINDS.get(values.get(_FOREIGN_KIND, ""), "")
