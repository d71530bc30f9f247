"""One value as a person reads it, by its ClickHouse type and its column's name. Pure.

Names end in their unit: _usd, _ms, _bytes, _pct. Text is hostile: what could move a terminal's cursor is
shown, not sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

NOTHING = "–"

_WRAPPERS = re.compile(r"^(?:Nullable|LowCardinality)\((.*)\)$")
_WHOLE = re.compile(r"U?Int\d+")
_FRACTION = re.compile(r"B?Float\d+|Decimal")
_TIME = re.compile(r"DateTime")

_BINARY_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_UNGROUPED = re.compile(r"(^|_)(id|year|port|batch|version)$")
_MONEY_PLACES = Decimal("0.000001")
_MONEY_DIGITS = 6
_SMALLEST = 1e-12
"""Written out in lists: the store keeps no smaller amount."""

# C0, DEL and C1 controls, and what turns the direction of text around.
_CONTROLS = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
_CONTROLS |= dict.fromkeys(
    [*range(0x80, 0xA0), *range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], 0xFFFD
)


def counted(count: int, name: str) -> str:
    """So many of a thing, by its name in the singular."""
    return f"{count:,} {name}{'' if count == 1 else 's'}"


def plain_type(type_name: str) -> str:
    """The type without Nullable and LowCardinality around it."""
    while found := _WRAPPERS.match(type_name):
        type_name = found[1]
    return type_name


def is_number(type_name: str) -> bool:
    """True for what stands to the right: numbers, not dates."""
    plain = plain_type(type_name)
    return bool(_WHOLE.fullmatch(plain) or _FRACTION.match(plain))


def is_time(type_name: str) -> bool:
    """True for days and moments."""
    return plain_type(type_name).startswith("Date")


def cell(name: str, type_name: str, value: object) -> str:
    """The value as text; – for NULL."""
    if value is None:
        return NOTHING
    plain = plain_type(type_name)
    if is_number(plain):
        return _number(name, plain, value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if _TIME.match(plain):
        return _time(str(value))
    if isinstance(value, (list, dict, tuple)):
        return visible(_nested(value))
    return visible(str(value))


def _nested(value: object) -> str:
    """JSON whose small numbers are written out: amounts of money stand in lists too."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_nested(str(k))}: {_nested(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_nested, value)) + "]"
    if isinstance(value, float) and _SMALLEST <= abs(value) < 1:
        return f"{Decimal(repr(value)):f}"
    return json.dumps(value, ensure_ascii=False, default=str)


def visible(text: str) -> str:
    """Text whose control characters are pictures of themselves."""
    return text.translate(_CONTROLS)


def _number(name: str, type_name: str, value: object) -> str:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    if not number.is_finite():
        return str(value)
    if name.endswith("_bytes"):
        return _bytes(number)
    if _WHOLE.fullmatch(type_name):
        return str(value) if _UNGROUPED.search(name) else f"{int(number):,}"
    if "usd" in name.lower().split("_"):
        return _money(number)
    if name.endswith("_ms"):
        return _places(number, 0 if abs(number) >= 100 else 1 if abs(number) >= 1 else 3)
    if name.endswith("_pct"):
        return _places(number, 1)
    return _significant(number)


def _money(value: Decimal) -> str:
    """Six decimals, or six significant ones of what is smaller; no zeros at the end beyond cents."""
    if not value:
        return "0"
    step = _MONEY_PLACES
    if abs(value) < Decimal("0.001"):
        step = Decimal(1).scaleb(value.adjusted() - _MONEY_DIGITS + 1)
    whole, _, decimals = f"{value.quantize(step, ROUND_HALF_EVEN):,f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def _significant(value: Decimal) -> str:
    if not value:
        return "0"
    if abs(value) >= 100_000:
        return f"{value:,.0f}"
    text = f"{value:.6g}"
    if "e" in text:
        return text
    whole, _, decimals = _trimmed(text).partition(".")
    return f"{int(whole):,}.{decimals}".rstrip(".") if abs(value) >= 1 else _trimmed(text)


def _places(value: Decimal, places: int) -> str:
    return _trimmed(f"{value:,.{places}f}")


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _bytes(value: Decimal) -> str:
    size, unit = value, 0
    while abs(size) >= 1024 and unit < len(_BINARY_UNITS) - 1:
        size /= 1024
        unit += 1
    return f"{_places(size, 1 if unit else 0)} {_BINARY_UNITS[unit]}"


def _time(text: str) -> str:
    """To the millisecond, without what is zero."""
    text = text.removesuffix("+00:00").replace("T", " ")
    whole, dot, fraction = text.partition(".")
    fraction = fraction[:3].rstrip("0")
    return whole + (dot + fraction if fraction else "")


def column(name: str, type_name: str, values: Sequence[object]) -> list[str]:
    """A column's cells: points of numbers under each other, midnights as days."""
    cells = [cell(name, type_name, value) for value in values]
    shown = [text for text in cells if text != NOTHING]
    if _TIME.match(plain_type(type_name)) and shown and all(t.endswith(" 00:00:00") for t in shown):
        return [text.removesuffix(" 00:00:00") for text in cells]
    if not is_number(type_name) or name.endswith("_bytes"):
        return cells
    decimals = [len(text.partition(".")[2]) for text in cells]
    most = max(decimals, default=0)
    # The point itself takes a place too, where there is none.
    return [
        text + " " * (most - places + (1 if most and not places else 0))
        for text, places in zip(cells, decimals, strict=True)
    ]
