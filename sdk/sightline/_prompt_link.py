"""The prompt in use, put on the model calls made with it, whoever records them.

A span that says at its start that it calls a model is linked there; one that says so later, as some
instrumentations' do, at its end.
"""

import weakref
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import Span

from sightline import attributes
from sightline._spans.attributes import attributes_of
from sightline._spans.late import Findings, watchers
from sightline._spans.leaving import leave

NAMED: Final = (attributes.PROMPT_NAME, attributes.PROMPT_VERSION)
_IN_USE: Final = otel_context.create_key("sightline-prompt")
_KIND: Final = "openinference.span.kind"

# Whether a prompt was ever in use in this process: if not, no span needs to be looked at.
used = False


class _InUse:
    """What its model calls carry, and how to put it away. The context holds it, not the prompt, which may be
    in use in many threads and in streams that take turns.
    """

    __slots__ = ("token", "values")

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self.token: Any = None


def take(values: Mapping[str, Any], context: Context) -> None:
    """Go on in this context, where model calls carry these values."""
    global used
    used = True
    in_use = _InUse(values)
    in_use.token = otel_context.attach(otel_context.set_value(_IN_USE, in_use, context))


def put_away() -> None:
    """Leave the innermost prompt's context."""
    current = otel_context.get_current()
    in_use = otel_context.get_value(_IN_USE, current)
    if isinstance(in_use, _InUse):
        leave(in_use.token, current)


def linked(values: Mapping[str, Any], span: Span, parent_context: Context | None) -> Mapping[str, Any]:
    """What a span that starts carries, with the prompt, unless a `context()` names another one since."""
    in_use = otel_context.get_value(_IN_USE, parent_context)
    if not isinstance(in_use, _InUse) or any(values.get(name) != in_use.values.get(name) for name in NAMED):
        return values
    calls = _calls_a_model(attributes_of(span))
    if calls is None:
        _Undeclared.watch(span, in_use.values)
    return {**values, **in_use.values} if calls else values


class _Undeclared:
    """Watches a span until it says what it is; the span itself holds on to it."""

    def __init__(self, span: Span, values: Mapping[str, Any]) -> None:
        self._span, self._values = weakref.ref(span), values

    @classmethod
    def watch(cls, span: Any, values: Mapping[str, Any]) -> None:
        span._sightline_prompt = cls(span, values)
        watchers.add(span.get_span_context().span_id, span._sightline_prompt)

    def findings(self) -> Findings | None:
        span = self._span()
        own = attributes_of(span)
        if span is None or not _calls_a_model(own):
            return None
        return Findings({name: value for name, value in self._values.items() if name not in own})


def _calls_a_model(own: Mapping[str, Any]) -> bool | None:
    """As far as a span says so, in the dialects that do; None when it says nothing yet."""
    if attributes.GEN_AI_OPERATION in own:
        return own[attributes.GEN_AI_OPERATION] in attributes.MODEL_OPERATIONS
    if _KIND in own:
        return bool(own[_KIND] == "LLM")
    if attributes.OPERATION in own:
        return False
    return True if attributes.REQUEST_MODEL in own else None
