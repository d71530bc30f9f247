"""What may leave the process: the one place that every span and log record passes.

    content="full"     everything, as it is
    content="masked"   secrets and personal data replaced by their kind, e.g. [EMAIL]   (the default)
    content="off"      no prompts, answers, arguments or results at all; what remains is masked

Masking fails closed: a value that could not be masked does not leave. Names, models and ids are never
masked: the program chose them, and questions are asked by them.
"""

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Link, Status

from sightline import attributes
from sightline._capture import well_formed
from sightline._outgoing import Draft
from sightline._runtime import Content
from sightline._safety import record_fault
from sightline._secrets import may_hold_secrets, without_secrets

NOT_MASKED: Final = "[WITHHELD: masking failed]"

_CONTENT: Final = frozenset(
    {
        attributes.INPUT_MESSAGES,
        attributes.OUTPUT_MESSAGES,
        attributes.SYSTEM_INSTRUCTIONS,
        attributes.TOOL_DEFINITIONS,
        attributes.TOOL_ARGUMENTS,
        attributes.TOOL_RESULT,
        attributes.RETRIEVAL_QUERY,
        attributes.RETRIEVAL_DOCUMENTS,
        attributes.INPUT,
        attributes.OUTPUT,
        attributes.EVALUATION_EXPLANATION,
        attributes.FEEDBACK_CORRECTION,
        attributes.PROMPT_TEMPLATE,
        # other dialects' names for the same
        "input.value",
        "output.value",
        "tool.parameters",
        "traceloop.entity.input",
        "traceloop.entity.output",
        "exception.message",
        "exception.stacktrace",
    }
)
_CONTENT_PREFIXES: Final = (
    "gen_ai.prompt.variable.",
    "gen_ai.prompt.0",
    "gen_ai.completion.",
    "llm.input_messages.",
    "llm.output_messages.",
    "llm.prompts.",
    "retrieval.documents.",
)
_NEVER_MASKED: Final = frozenset(
    {
        attributes.USER_ID,
        attributes.SESSION_ID,
        attributes.CONVERSATION_ID,
        attributes.RESPONSE_ID,
        attributes.TOOL_CALL_ID,
        attributes.FEEDBACK_ID,
        attributes.REQUEST_MODEL,
        attributes.RESPONSE_MODEL,
        attributes.COST_USD,
        attributes.OPERATION,
        attributes.STAGE,
        attributes.GEN_AI_OPERATION,
        attributes.GEN_AI_PROVIDER,
    }
)


class Guard:
    """Applies one content mode to drafts of spans and to attributes of log records."""

    def __init__(self, mode: Content) -> None:
        self._mode = mode

    def __call__(self, draft: Draft) -> None:
        """The step that decides what of a span may leave; should it fail, what it could not judge stays."""
        if self._mode == "full":
            return
        try:
            self._guard(draft)
        except Exception as error:
            _withhold(draft)
            record_fault("Guard", error)

    def _guard(self, draft: Draft) -> None:
        draft.attributes = self.attributes(draft.attributes)
        if draft.events:
            draft.events = [
                Event(event.name, self.attributes(event.attributes or {}), event.timestamp)
                for event in draft.events
            ]
        draft.links = [Link(link.context, self.attributes(link.attributes or {})) for link in draft.links]
        if draft.status.description:
            text = "" if self._mode == "off" else masked(draft.status.description)
            draft.status = Status(draft.status.status_code, text or None)

    def attributes(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What of these attributes may leave, and how."""
        if self._mode == "off":
            values = {name: value for name, value in values.items() if not is_content(name)}
        if self._mode == "full" or not _suspicious(values):
            return values if type(values) is dict else dict(values)
        return {
            name: value if name in _NEVER_MASKED else _masked_value(value) for name, value in values.items()
        }

    def body(self, body: Any) -> Any:
        """A log record's body, as it may leave."""
        return body if self._mode == "full" else _masked_value(body)


def is_content(name: str) -> bool:
    """Whether an attribute holds what people or models said, in any dialect we know."""
    return name in _CONTENT or name.startswith(_CONTENT_PREFIXES)


def masked(text: str) -> str:
    """The text with secrets and personal data replaced by their kind; `NOT_MASKED` should that ever fail."""
    try:
        return without_secrets(well_formed(text))
    except Exception as error:
        record_fault("masked", error)
        return NOT_MASKED


def _suspicious(values: Mapping[str, Any]) -> bool:
    """Whether anything in all these values has to be looked at closely; one test for all of them is cheap."""
    texts: list[str] = []
    for name, value in values.items():
        if type(value) is str:
            if name not in _NEVER_MASKED:
                texts.append(value)
        elif not isinstance(value, int | float):
            _collect(value, texts)
    return may_hold_secrets(well_formed("\n".join(texts)))


def _collect(value: Any, texts: list[str]) -> None:
    """Every text in a value, however deep."""
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, list | tuple):
        for item in value:
            _collect(item, texts)
    elif isinstance(value, Mapping):
        for item in value.values():
            _collect(item, texts)


def _masked_value(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, list | tuple):
        return [_masked_value(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _masked_value(item) for key, item in value.items()}
    return value


def _withhold(draft: Draft) -> None:
    draft.attributes = {
        name: value if name in _NEVER_MASKED else NOT_MASKED for name, value in draft.attributes.items()
    }
    draft.events = draft.links = ()
    draft.status = Status(draft.status.status_code, NOT_MASKED if draft.status.description else None)
