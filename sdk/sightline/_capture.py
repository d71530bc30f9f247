"""Any Python value as bounded JSON text, without running the value's own code.

A value may be huge, endless in itself, half-built or hostile: its `__repr__` may query a database. So plain
data is walked within a budget, well-known types have their standard text, and everything else is named by
its type. What was cut says so.
"""

import dataclasses
import json
import math
from collections import deque
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

MAX_CHARS: Final = 32_768  # a long prompt fits; a batch of 512 stays under the collector's request limit
MAX_NODES: Final = 4_000  # bounds the time of a walk to about a millisecond
MAX_DEPTH: Final = 12
MAX_KEY_CHARS: Final = 256

_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_TEXTUAL: Final = (date, time, timedelta, Decimal, UUID, PurePath)


def plain_json(value: object) -> str:
    """JSON text of what is known to be plain data of a harmless size: no walk, a third of the cost."""
    return well_formed(_encode(value))


def as_json(value: object, *, max_chars: int = MAX_CHARS) -> str:
    """JSON text of `value`, always valid, about `max_chars` long at most."""
    plain = _Walk(max_chars).plain(value, 0)
    return plain_json(plain)


def well_formed(text: str) -> str:
    """The same text in well-formed Unicode: a lone surrogate would spoil the whole request on the wire."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode()


class _Walk:
    """One walk over one value; spends its room of characters and nodes as it goes."""

    __slots__ = ("_nodes", "_room")

    def __init__(self, max_chars: int) -> None:
        self._room = max_chars
        self._nodes = MAX_NODES

    def plain(self, value: object, depth: int) -> Any:
        self._nodes -= 1
        kind = type(value)
        if kind is str:
            return self._text(value)  # type: ignore[arg-type]  # type() does not narrow
        if value is None or kind is bool:
            return value
        if kind is int:
            return self._integer(value)  # type: ignore[arg-type]
        if (kind is dict or kind is list) and depth < MAX_DEPTH and self._nodes > 0 and self._room > 0:
            return self._container(value, depth + 1)
        if kind is float:
            return value if math.isfinite(value) else str(value)  # type: ignore[arg-type]
        return self._other(value, depth)

    def _other(self, value: object, depth: int) -> Any:
        if isinstance(value, Enum):
            return self.plain(value.value, depth)
        if isinstance(value, str):
            return self._text(str.__str__(value))
        if isinstance(value, _TEXTUAL):
            return self._text(str(value))
        if isinstance(value, bytes | bytearray | memoryview):
            return f"<{len(value)} bytes>"
        if depth >= MAX_DEPTH or self._nodes <= 0 or self._room <= 0:
            return "<cut>"
        return self._container(value, depth + 1)

    def _container(self, value: object, depth: int) -> Any:
        if isinstance(value, dict):
            return self._pairs(value, depth)
        if isinstance(value, list | tuple | set | frozenset | deque):
            return self._items(value, depth)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in dataclasses.fields(value)]
            return self._pairs({name: getattr(value, name, None) for name in names}, depth)
        fields = _pydantic_fields(value)
        if fields is not None:
            return self._pairs(fields, depth)
        return f"<{type(value).__module__}.{type(value).__qualname__}>"

    def _pairs(self, pairs: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key, item in pairs.items():
            if self._nodes <= 0 or self._room <= 0:
                plain["<cut>"] = len(pairs) - len(plain)
                break
            name = self._key(key)
            plain[name] = self.plain(item, depth)
        return plain

    def _items(self, items: Any, depth: int) -> list[Any]:
        plain: list[Any] = []
        for item in items:
            if self._nodes <= 0 or self._room <= 0:
                plain.append(f"<cut {len(items) - len(plain)}>")
                break
            plain.append(self.plain(item, depth))
        return plain

    def _key(self, key: object) -> str:
        """A key is kept as long as it is one: which value was cut must stay readable."""
        if isinstance(key, str):
            name = str.__str__(key)
        elif type(key) is int:
            name = str(self._integer(key))
        elif key is None or type(key) in (bool, float):
            name = str(key)
        else:
            name = f"<{type(key).__qualname__}>"
        self._room -= len(name)
        return name if len(name) <= MAX_KEY_CHARS else f"{name[:MAX_KEY_CHARS]}<cut>"

    def _text(self, text: str) -> str:
        if len(text) <= self._room:
            self._room -= len(text)
            return text
        kept, self._room = text[: max(self._room, 0)], 0
        return f"{kept}<cut {len(text) - len(kept)}>"

    def _integer(self, number: int) -> int | str:
        """Python's integers have no limit; JSON readers' do, and so does turning one into text."""
        return number if number.bit_length() <= 64 else f"<integer of {number.bit_length()} bits>"


def _pydantic_fields(value: object) -> Mapping[str, Any] | None:
    """A model's own fields, which pydantic keeps in `__dict__`: read there, its serialisers do not run."""
    if not isinstance(getattr(type(value), "__pydantic_fields__", None), dict):
        return None
    return vars(value)
