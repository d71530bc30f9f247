"""Prompts with a name and a version, filled in and linked to the model calls made with them.

    GREETING = sightline.prompt("greeting", "Say hello to {{name}}.")
    with GREETING.using(name="Ann") as text:
        client.chat.completions.create(model=..., messages=[{"role": "user", "content": text}])

Every span in the block carries the prompt's name and version; model calls carry template and variables, too.
`{{name}}` is the whole of the syntax, as in most prompt catalogues: braces of JSON stay what they are, and
what a variable holds is never filled in again.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

from sightline import _prompt_link, _runtime, attributes
from sightline._capture import MAX_CHARS, as_json, well_formed
from sightline._context import with_carried
from sightline._safety import log_rarely, shielded
from sightline.errors import ConfigurationError

# A text, or messages: [{"role": "system", "content": "Be {{manner}}."}, ...]
T = TypeVar("T", bound=str | Sequence[Any])

MAX_VARIABLES: Final = 32  # more would crowd the span's other attributes out
VARIABLE_CHARS: Final = 4_096  # what was put in whole stands in the messages
KEY_CHARS: Final = 64
VERSION_DIGITS: Final = 12  # as many as Git shows of a commit
_PLACE: Final = re.compile(r"\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Prompt(Generic[T]):
    """A template and what to fill in; as a context manager it gives the filled-in text or messages."""

    name: str
    template: T
    version: str
    variables: Mapping[str, object] = field(default_factory=dict)

    def using(self, /, **variables: object) -> "Prompt[T]":
        """The same prompt with these variables, beside those it has."""
        return replace(self, variables={**self.variables, **variables})

    @property
    def filled(self) -> T:
        """The template with its variables put in.

        Raises ConfigurationError, which names them, when variables are missing.
        """
        places = _places(self.template)
        missing = sorted(places - self.variables.keys())
        if missing:
            raise ConfigurationError(
                f"prompt {self.name!r} lacks {', '.join(missing)}: give each a value in using() or variables="
            )
        if surplus := sorted(self.variables.keys() - places):
            log_rarely(
                f"prompt {self.name}",
                "Prompt %r has no place for %s: a place is written {{%s}}",
                self.name,
                ", ".join(surplus),
                surplus[0],
            )
        texts = {key: str(value) for key, value in self.variables.items()}
        filled: T = _put_in(self.template, texts)
        return filled

    def __enter__(self) -> T:
        filled = self.filled
        _use(self)
        return filled

    def __exit__(self, *raised: object) -> None:
        _prompt_link.put_away()


def prompt(
    name: str, template: T, version: object = None, variables: Mapping[str, object] | None = None
) -> Prompt[T]:
    """A prompt by its name. `template` is a text or a list of messages with `{{variables}}` in them; without
    a version it has twelve digits of the template's SHA-256, which change whenever the template does.
    """
    known = _digest(_whole(template)) if version is None else str(version)
    return Prompt(name, template, known, variables or {})


def _use(used: Prompt[Any]) -> None:
    """Every span below carries name and version, every model call all there is to say."""
    values = _content(used) or {}
    named = {name: value for name, value in values.items() if name in _prompt_link.NAMED}
    _prompt_link.take(values, with_carried(named))


@shielded
def _content(used: Prompt[Any]) -> dict[str, str]:
    said = {attributes.PROMPT_NAME: used.name, attributes.PROMPT_VERSION: used.version}
    if _runtime.current.captures:
        said[attributes.PROMPT_TEMPLATE] = well_formed(_as_text(used.template)[:MAX_CHARS])
        for key, value in list(used.variables.items())[:MAX_VARIABLES]:
            name = attributes.PROMPT_VARIABLE_PREFIX + key[:KEY_CHARS]
            said[name] = well_formed(str(value)[:VARIABLE_CHARS])
    return said


def _as_text(template: str | Sequence[Any]) -> str:
    return template if isinstance(template, str) else as_json(template)


def _whole(template: str | Sequence[Any]) -> str:
    """All of a template as text, of what is no JSON its type."""
    if isinstance(template, str):
        return template
    return json.dumps(template, ensure_ascii=False, sort_keys=True, default=lambda part: str(type(part)))


@lru_cache(maxsize=256)
def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:VERSION_DIGITS]


def _places(template: object) -> set[str]:
    """The names of all variables, however deep in a message's parts."""
    if isinstance(template, str):
        return set(_PLACE.findall(template))
    if isinstance(template, Mapping):
        template = list(template.values())
    return set().union(*map(_places, template)) if isinstance(template, list | tuple) else set()


def _put_in(template: Any, texts: Mapping[str, str]) -> Any:
    if isinstance(template, str):
        return _PLACE.sub(lambda place: texts[place[1]], template)
    if isinstance(template, Mapping):
        return {key: _put_in(part, texts) for key, part in template.items()}
    if isinstance(template, list | tuple):
        return [_put_in(part, texts) for part in template]
    return template
