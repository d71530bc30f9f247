"""SQL over whatever holds text in a column, however deep: all texts as a list, the column redacted. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from sightline_collector.sql.catalog import quoted

_TYPE = re.compile(r"(?P<name>\w+)(?:\((?P<inner>.*)\))?", re.DOTALL)
_NAMED = re.compile(r"\w+ (?=[A-Z])")

Rewrite = Callable[[str], str]
"""An expression of a text, redacted, from that of the text."""


def texts(type_: str, column: str, depth: int = 0) -> str:
    """All texts in a column of a type, an Array(String); "" when there are none in it."""
    name, inner = _parsed(type_)
    each = f"x{depth}"
    if name == "String":
        return f"[{column}]"
    if name in ("LowCardinality", "Nullable"):
        return f"[ifNull(toString({column}), '')]" if texts(inner[0], column) else ""
    if name == "Array":
        found = texts(inner[0], each, depth + 1)
        return f"arrayFlatten(arrayMap({each} -> {found}, {column}))" if found else ""
    if name == "Map":
        inside = zip(("mapKeys", "mapValues"), inner, strict=True)
        return _joined([texts(f"Array({kind})", f"{of}({column})", depth) for of, kind in inside])
    if name == "Tuple":
        elements = enumerate(map(_unnamed, inner), 1)
        return _joined([texts(kind, f"{column}.{place}", depth) for place, kind in elements])
    return ""


def redacted(type_: str, column: str, rewrite: Rewrite, depth: int = 0) -> str:
    """A column's value with each text rewritten, itself where it holds none."""
    name, inner = _parsed(type_)
    each, other = f"x{depth}", f"y{depth}"
    if not texts(type_, column):
        return column
    if name == "Array":
        return f"arrayMap({each} -> {redacted(inner[0], each, rewrite, depth + 1)}, {column})"
    if name == "Map":
        key = redacted(inner[0], each, rewrite, depth + 1)
        value = redacted(inner[1], other, rewrite, depth + 1)
        return f"mapApply(({each}, {other}) -> ({key}, {value}), {column})"
    if name == "Tuple":
        kinds = enumerate(map(_unnamed, inner), 1)
        return f"tuple({', '.join(redacted(kind, f'{column}.{n}', rewrite, depth) for n, kind in kinds)})"
    return rewrite(column)


def assigned(type_: str, column: str, rewrite: Rewrite) -> str:
    """The same as ALTER TABLE UPDATE says it."""
    return f"{column} = cast({redacted(type_, column, rewrite)}, {quoted(type_)})"


def _parsed(type_: str) -> tuple[str, list[str]]:
    found = _TYPE.fullmatch(type_)
    if not found:
        return type_, []
    return found["name"], _arguments(found["inner"] or "")


def _arguments(inner: str) -> list[str]:
    """What commas part outside of brackets."""
    parts, depth = [""], 0
    for letter in inner:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _unnamed(element: str) -> str:
    return _NAMED.sub("", element, count=1) if _NAMED.match(element) else element


def _joined(lists: list[str]) -> str:
    found = [one for one in lists if one]
    return f"arrayConcat({', '.join(found)})" if found else ""
