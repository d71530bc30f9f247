"""Any Python value as bounded JSON text, without running the value's own code.

A value may be huge, endless in itself, half-built or hostile: its `__repr__` may query a database. So plain
data is walked within a budget, well-known types have their standard text, and everything else is named by
its type. What was cut says so.
"""

import dataclasses
import json
import math
from collections import deque
from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from json.encoder import encode_basestring as quoted
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

MAX_CHARS: Final = 32_768  # a long prompt fits; a batch of 512 stays under the collector's request limit
MAX_NODES: Final = 4_000  # bounds the time of a walk to about a millisecond
MAX_DEPTH: Final = 12
MAX_KEY_CHARS: Final = 256


def _plain_writer() -> Callable[[Any], str]:
    """Writes plain data as JSON text; ValueError for infinite numbers.

    `JSONEncoder.encode` makes its encoder in C anew for each value, at the price of a short value's text;
    here it is made once, where it is made as we know it.
    """
    try:
        make: Any = getattr(json.encoder, "c_make_encoder", None)
        encode = make(None, None, quoted, None, ":", ",", False, False, False)
    except TypeError:
        return json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
    return lambda value: "".join(encode(value, 0))


_write_plain: Final = _plain_writer()
_TEXTUAL: Final = (date, time, timedelta, Decimal, UUID, PurePath)
_CUT: Final = '"<cut>"'
_NODE_CHARS: Final = MAX_CHARS // MAX_NODES  # so that what has room by its characters has it by its nodes
_TOO_LONG: Final = 2 * MAX_CHARS


def as_json(value: object, *, max_chars: int = MAX_CHARS) -> str:
    """JSON text of `value`, always valid, about `max_chars` long at most."""
    if _plain_chars((value,), MAX_DEPTH + 1) <= max_chars:
        try:
            return well_formed(_write_plain(value))
        except ValueError:  # an infinite number, which JSON has not
            pass
    return well_formed(_Walk(max_chars).json(value, 0))


def _plain_chars(container: Any, depth: int) -> int:
    """About how long plain data is as text; `_TOO_LONG` when it is none, or not known to end.

    Most content is plain and short: then the encoder in C, which knows no bounds, may have it.
    """
    if not depth or len(container) > MAX_NODES:
        return _TOO_LONG
    chars = len(container) * _NODE_CHARS
    if type(container) is dict:
        for key in container:
            if type(key) is not str or len(key) > MAX_KEY_CHARS:
                return _TOO_LONG
            chars += len(key)
        container = container.values()
    for item in container:
        kind = type(item)
        if kind is str:
            chars += len(item)
        elif kind is dict or kind is list or kind is tuple:
            chars += _plain_chars(item, depth - 1)
            if chars > MAX_CHARS:
                return _TOO_LONG
        elif kind is int:
            chars += 0 if item.bit_length() <= 64 else _TOO_LONG
        elif item is not None and kind is not bool and kind is not float:
            return _TOO_LONG
    return chars


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

    def json(self, value: object, depth: int) -> str:
        self._nodes -= 1
        kind = type(value)
        if kind is str:
            return self._text(value)  # type: ignore[arg-type]  # type() does not narrow
        if value is None:
            return "null"
        if kind is bool:
            return "true" if value else "false"
        if kind is int:
            return self._integer(value)  # type: ignore[arg-type]
        if kind is float:
            return repr(value) if math.isfinite(value) else f'"{value}"'  # type: ignore[arg-type]
        if kind is not dict and kind is not list:
            return self._safely_other(value, depth)
        return self._container(value, depth)

    def _safely_other(self, value: object, depth: int) -> str:
        """A value whose own code fails when it is looked at costs itself, not those beside it."""
        try:
            return self._other(value, depth)
        except Exception:
            return quoted(f"<{type(value).__module__}.{type(value).__qualname__}>")

    def _other(self, value: object, depth: int) -> str:
        if isinstance(value, Enum):
            return self.json(value.value, depth)
        if isinstance(value, str):
            return self._text(str.__str__(value))
        if isinstance(value, _TEXTUAL):
            return self._text(str(value))
        if isinstance(value, bytes | bytearray | memoryview):
            return f'"<{len(value)} bytes>"'
        return self._container(value, depth)

    def _container(self, value: object, depth: int) -> str:
        if depth >= MAX_DEPTH or self._nodes <= 0 or self._room <= 0:
            return _CUT
        if isinstance(value, dict):
            return self._pairs(value, depth + 1)
        if isinstance(value, list | tuple | set | frozenset | deque):
            return self._items(value, depth + 1)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in dataclasses.fields(value)]
            return self._pairs({name: getattr(value, name, None) for name in names}, depth + 1)
        fields = _pydantic_fields(value)
        if fields is not None:
            return self._pairs(fields, depth + 1)
        return quoted(f"<{type(value).__module__}.{type(value).__qualname__}>")

    def _pairs(self, pairs: Mapping[Any, Any], depth: int) -> str:
        written: dict[str, str] = {}  # two keys may have one name: the last one's value stays
        for key, item in pairs.items():
            if self._nodes <= 0 or self._room <= 0:
                written["<cut>"] = str(len(pairs) - len(written))
                break
            name = self._key(key)
            written[name] = self.json(item, depth)
        return "{" + ",".join([f"{quoted(name)}:{text}" for name, text in written.items()]) + "}"

    def _items(self, items: Any, depth: int) -> str:
        written: list[str] = []
        for item in items:
            if self._nodes <= 0 or self._room <= 0:
                written.append(f'"<cut {len(items) - len(written)}>"')
                break
            written.append(self.json(item, depth))
        return "[" + ",".join(written) + "]"

    def _key(self, key: object) -> str:
        """A key is kept as long as it is one: which value was cut must stay readable."""
        if isinstance(key, str):
            name = str.__str__(key)
        elif type(key) is int:
            name = self._integer(key).strip('"')
        elif key is None or type(key) in (bool, float):
            name = str(key)
        else:
            name = f"<{type(key).__qualname__}>"
        self._room -= len(name)
        return name if len(name) <= MAX_KEY_CHARS else f"{name[:MAX_KEY_CHARS]}<cut>"

    def _text(self, text: str) -> str:
        if len(text) > self._room:
            kept, self._room = text[: max(self._room, 0)], 0
            return quoted(f"{kept}<cut {len(text) - len(kept)}>")
        self._room -= len(text)
        return quoted(text)

    def _integer(self, number: int) -> str:
        """Python's integers have no limit; JSON readers' do, and so does turning one into text."""
        return str(number) if number.bit_length() <= 64 else f'"<integer of {number.bit_length()} bits>"'


def _pydantic_fields(value: object) -> Mapping[str, Any] | None:
    """A model's own fields, which pydantic keeps in `__dict__`: read there, its serialisers do not run."""
    if not isinstance(getattr(type(value), "__pydantic_fields__", None), dict):
        return None
    return vars(value)
