"""Looking at foreign things without trusting them: clients' objects or plain JSON, of whatever type. Pure."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from sightline._capture import as_json
from sightline.usage import count

Get = Callable[[str], Any]

_ABSENT: Final = object()
_NOTHING: Final[dict[str, Any]] = {}
MAX_ARGUMENTS_CHARS: Final = 100_000  # of one tool call; what is recorded of it is cut further


def field(thing: object, name: str) -> Any:
    """A field of a client's object or of plain JSON; `None` when it has none."""
    if type(thing) is dict or isinstance(thing, Mapping):  # the first is a tenth of the second's cost
        return thing.get(name)
    return getattr(thing, name, None)


def getter(thing: object) -> Get:
    """Answers what each field of a client's object or of plain JSON is; `None` when it has none.

    Nearly all clients' objects are pydantic's, which take a microsecond to say that they lack a field: what
    they hold is looked at directly.
    """
    if type(thing) is dict:
        return thing.get
    if thing is None:
        return _NOTHING.get
    extra: Any = getattr(thing, "__pydantic_extra__", _ABSENT)
    if extra is _ABSENT:
        return partial(field, thing)
    return {**extra, **thing.__dict__}.get if extra else thing.__dict__.get


def either(get: Get, name: str, other: str) -> Any:
    """The field of the first name, or else of the other: clients and JSON may differ in spelling."""
    value = get(name)
    return get(other) if value is None else value


def items(value: object) -> Sequence[Any]:
    """A list's items; nothing for what is no list."""
    if type(value) is list:
        return value
    return value if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray) else ()


def text(value: object) -> str:
    """A text; empty for what is none."""
    return value if isinstance(value, str) else ""


def name(value: object) -> str | None:
    """A text that says something; None for all else."""
    return value if isinstance(value, str) and value else None


def position(value: object) -> int | None:
    """A position in a list; None for what is none."""
    return value if type(value) is int and value >= 0 else None


def first_count(get: Get, *names: str) -> int | None:
    """The first of these fields that is a count."""
    for name in names:
        if (found := count(get(name))) is not None:
            return found
    return None


def part(of_details: Get, name: str, otherwise: int | None = None) -> int | None:
    """One count of a provider's block of details; `otherwise` when it has none."""
    found = count(of_details(name))
    return otherwise if found is None else found


def arguments(value: object) -> str:
    """A tool call's arguments as JSON text, however the provider gives them; empty when there are none."""
    if isinstance(value, str):
        return value
    return "" if value is None else as_json(value, max_chars=MAX_ARGUMENTS_CHARS)


def parsed(text: object) -> Any:
    """The value of a JSON text that is an object; the text itself otherwise."""
    if isinstance(text, str) and text.startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text
