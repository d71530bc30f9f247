"""What may leave the process: the one place that every span and log record passes.

    content="full"     everything, as it is
    content="masked"   secrets and personal data replaced by their kind, e.g. [EMAIL]   (the default)
    content="off"      no prompts, answers, arguments or results at all; what remains is masked

Masking fails closed: a value that could not be masked does not leave. Names, models and ids are never
masked: the program chose them, and questions are asked by them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Status

from sightline import attributes
from sightline._capture import well_formed
from sightline._outgoing import Draft
from sightline._runtime import Content
from sightline._safety import record_fault

NOT_MASKED: Final = "[WITHHELD: masking failed]"
SHORTEST_SECRET: Final = 13  # a card number; only addresses are shorter

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
    }
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of secret or personal data. `hints`: without one of these in a text there is nothing to find.

    Every repetition in `pattern` is bounded and starts at a fixed text or a word's edge, so that the time
    stays linear in the text.
    """

    name: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    confirm: Callable[[str], bool] = bool


def _luhn(number: str) -> bool:
    """ISO/IEC 7812's check digit: tells a card number from nine in ten other long numbers."""
    digits = [int(digit) for digit in number if digit.isdigit()]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


_KEY_HINTS: Final = (
    "sk-", "AIza", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "xox", "AKIA", "ASIA",
    "hf_", "gsk_", "glpat-", "k_live_", "npm_",
)  # fmt: skip
KINDS: Final = (
    Kind(
        "PRIVATE_KEY",
        ("PRIVATE KEY-----",),
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{0,20000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
        ),
    ),
    Kind("JWT", ("eyJ",), re.compile(r"\beyJ[\w-]{8,4000}\.[\w-]{8,8000}\.[\w-]{8,2000}")),
    Kind(
        "SECRET",
        _KEY_HINTS,
        re.compile(
            r"\b(?:sk-[\w-]{16,300}|AIza[\w-]{35}|gh[pousr]_\w{30,255}|github_pat_\w{22,255}"
            r"|xox[abeoprs]-[\w-]{10,250}|(?:AKIA|ASIA)[A-Z0-9]{16}\b|hf_\w{30,100}|gsk_\w{40,100}"
            r"|glpat-[\w-]{20,100}|[rs]k_live_\w{16,120}|npm_\w{36}\b)"
        ),
    ),
    Kind("TOKEN", ("earer ", "EARER "), re.compile(r"(?i:\bbearer) {1,5}[\w.~+/-]{16,4000}=*")),
    Kind(
        "EMAIL",
        ("@",),
        re.compile(r"(?<![\w.%+-])[\w.%+-]{1,128}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"),
    ),
    Kind(
        "CARD",
        ("2", "3", "4", "5", "6"),
        re.compile(r"(?<![\w.-])[2-6]\d{3}(?:[ -]?\d){9,12}(?![\w-])"),
        confirm=_luhn,
    ),
)


class Guard:
    """Applies one content mode to drafts of spans and to attributes of log records."""

    def __init__(self, mode: Content) -> None:
        self._mode = mode

    def __call__(self, draft: Draft) -> None:
        """The step that decides what of a span may leave."""
        draft.attributes = self.attributes(draft.attributes)
        if draft.events:
            draft.events = [
                Event(event.name, self.attributes(event.attributes or {}), event.timestamp)
                for event in draft.events
            ]
        if draft.status.description:
            text = "" if self._mode == "off" else self.text(draft.status.description)
            draft.status = Status(draft.status.status_code, text or None)

    def attributes(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What of these attributes may leave, and how."""
        if self._mode == "off":
            values = {name: value for name, value in values.items() if not is_content(name)}
        return {name: self._value(name, value) for name, value in values.items()}

    def text(self, text: str) -> str:
        """One text, as it may leave."""
        return well_formed(text) if self._mode == "full" else masked(text)

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            return well_formed(value) if name in _NEVER_MASKED else self.text(value)
        if isinstance(value, int) and value.bit_length() > 63:
            return str(value)  # the wire has 64 bits; one larger integer would spoil the whole request
        if isinstance(value, list | tuple):
            return [self._value(name, item) for item in value]
        if isinstance(value, Mapping):
            return {key: self._value(name, item) for key, item in value.items()}
        return value


def is_content(name: str) -> bool:
    """Whether an attribute holds what people or models said, in any dialect we know."""
    return name in _CONTENT or name.startswith(_CONTENT_PREFIXES)


def masked(text: str) -> str:
    """The text with secrets and personal data replaced by their kind; `NOT_MASKED` should that ever fail."""
    try:
        text = well_formed(text)
        if len(text) < SHORTEST_SECRET and "@" not in text:
            return text
        for kind in KINDS:
            if any(hint in text for hint in kind.hints):
                text = kind.pattern.sub(partial(_placeholder, kind), text)
        return text
    except Exception as error:
        record_fault("masked", error)
        return NOT_MASKED


def _placeholder(kind: Kind, found: re.Match[str]) -> str:
    return f"[{kind.name}]" if kind.confirm(found.group()) else found.group()
