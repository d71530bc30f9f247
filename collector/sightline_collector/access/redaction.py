"""A subject's names in what others said, and what stands there instead. Pure.

A name counts as a word of its own: what only begins or ends with it may be somebody else's. So u-12 is not in
u-123, ann not in ann.lee and not in ann@shop.example, but in "(ann)", "@ann" and "Bob said to ann.".
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import quote, quote_plus

from google.protobuf.message import Message

PLACEHOLDER = "[redacted]"
NO_TRACE = "0" * 32
"""In place of a trace's id: OpenTelemetry's id of none."""

NAME_BYTES_MIN = 4
"""Shorter ones are words, numbers and parts of code that mean something else."""
ALSO_MAX = 50

BEFORE = r"(^|[^\w.@+-]|(?:^|[^\w-])[.@+])"
AFTER = r"($|[^\w.@+-]|[.@+](?:$|[^\w-]))"
"""What may stand around a word, for RE2, which cannot look without taking: hence a second round."""

_TRACE_ID = re.compile(rb"[0-9a-f]{32}")
_ESCAPED = re.compile(r"%[0-9A-F]{2}")


def unfit(name: str) -> str:
    """Why a name cannot be redacted, "" when it can."""
    if len(name.encode()) < NAME_BYTES_MIN:
        return f"it is shorter than {NAME_BYTES_MIN} bytes, and would be found where something else is meant"
    return "it is part of what would stand in its place" if name in PLACEHOLDER else ""


class Redaction:
    """Names, as they are and as JSON and addresses spell them, and the ids of traces."""

    def __init__(self, names: Collection[str], traces: Collection[str] = ()) -> None:
        spelled = {spelling for name in names for spelling in _spellings(name)}
        self.names = tuple(sorted(spelled, key=lambda one: (-len(one), one)))
        self.traces = frozenset(traces)
        self._raw_traces = frozenset(
            bytes.fromhex(one) for one in traces if _TRACE_ID.fullmatch(one.encode())
        )
        either = "|".join(map(re.escape, self.names))
        self.pattern = f"{BEFORE}(?:{either}){AFTER}"
        """For RE2."""
        word = rf"(?<![\w-])(?<![\w-][.@+])(?:{either})(?![\w-])(?![.@+][\w-])"
        hidden = "|".join(re.escape(one).encode().hex() for one in self.names)
        self._word = re.compile(word.encode())
        self.sought = re.compile(f"{word}|{hidden}".encode())
        """For a search of bytes: also as mutations spell them while they are under way."""
        self.anywhere = re.compile(f"(?:{either})".encode())

    def text(self, said: bytes) -> bytes:
        """A text without the names."""
        named = self._word.sub(PLACEHOLDER.encode(), said)
        return _TRACE_ID.sub(self._instead, named) if self.traces else named

    def message(self, message: Message) -> int:
        """Redacts each text of a parsed request, in place: how many were changed."""
        changed = 0
        for field, value in message.ListFields():
            if field.message_type:
                parts = [value] if isinstance(value, Message) else value
                changed += sum(self.message(part) for part in parts)
            elif isinstance(value, str | bytes):
                if (after := self._value(value)) != value:
                    setattr(message, field.name, after)
                    changed += 1
            elif field.cpp_type == field.CPPTYPE_STRING:
                changed += self._list(value)
        return changed

    def _list(self, texts: Any) -> int:
        redacted = [self._value(one) for one in texts]
        changed: int = sum(after != before for after, before in zip(redacted, texts, strict=True))
        texts[:] = redacted
        return changed

    def _value(self, value: str | bytes) -> str | bytes:
        if isinstance(value, str):
            return self.text(value.encode()).decode()
        return bytes(len(value)) if value in self._raw_traces else self.text(value)

    def _instead(self, found: re.Match[bytes]) -> bytes:
        return NO_TRACE.encode() if found[0].decode() in self.traces else found[0]


def _spellings(name: str) -> set[str]:
    encoded = {quote(name, safe=""), quote_plus(name), quote(name)}
    lower = {_ESCAPED.sub(lambda found: found[0].lower(), one) for one in encoded}
    return {name, json.dumps(name)[1:-1], json.dumps(name, ensure_ascii=False)[1:-1], *encoded, *lower}
