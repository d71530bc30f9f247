"""
Rows of a regular expression tree, in the library's order, and only with patterns that RE2 can run. Pure.

The engine tries siblings in order; a child row is an "and"; a parent without a value falls through to its
next sibling. It drops a row that RE2 cannot compile *without a word*, and calls would then go unpriced. So
such a pattern is refused here: the export stops and the store keeps its last good rows.
"""

import re
from dataclasses import dataclass, field
from itertools import chain, product

from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    MatchLogic,
)

Row = dict[str, object]
"""One row of a price table, as JSON takes it."""

Condition = ClauseContains | ClauseEndsWith | ClauseEquals | ClauseRegex | ClauseStartsWith
"""A single test of a name."""

NOT_IN_RE2 = re.compile(r"\(\?(?!:)|\\[1-9]|[*+?}]\+")
"""Look-around, inline flags, named groups, back references, possessive repeats."""


class UnsupportedPatternError(ValueError):
    """A pattern of the price data that the engine cannot run as it stands; the export stops."""

    def __init__(self, pattern: str, reason: str) -> None:
        super().__init__(
            f"price data has the pattern {pattern!r}: {reason}. Keep the installed genai-prices version, "
            "or teach sightline_collector/prices/names.py to say it another way."
        )


@dataclass(slots=True)
class RuleTree:
    """Rows of one `regexp_tree` dictionary; ids count from 1, parent 0 is the root."""

    rows: list[Row] = field(default_factory=list)

    def add(self, regexp: str, *, parent: int = 0, **values: str | int) -> int:
        """Appends a row behind its siblings and returns its id.

        Raises UnsupportedPatternError for a pattern that RE2 would refuse.
        """
        if NOT_IN_RE2.search(regexp):
            raise UnsupportedPatternError(regexp, "RE2 has no look-around, flags or back references")
        row_id = len(self.rows) + 1
        keys, texts = list(values), [str(value) for value in values.values()]
        self.rows.append({"id": row_id, "parent_id": parent, "regexp": regexp, "keys": keys, "values": texts})
        return row_id


def alternatives(clause: MatchLogic) -> list[list[Condition]]:
    """A match clause as "or" of "and": any of the lists matches when all of its conditions do."""
    if isinstance(clause, ClauseOr):
        return [conditions for part in clause.or_ for conditions in alternatives(part)]
    if isinstance(clause, ClauseAnd):
        parts = product(*(alternatives(part) for part in clause.and_))
        return [list(chain.from_iterable(part)) for part in parts]
    return [[clause]]


def literal(text: str) -> str:
    """Lower-cased text as a pattern that matches only itself."""
    return re.sub(r"([^\w/@ -])", r"\\\1", text.lower())


def shape(condition: Condition, anything: str = ".*") -> str:
    """The pattern of a whole name that meets the condition; `anything` matches the rest of the name."""
    match condition:
        case ClauseEquals(equals=text):
            return literal(text)
        case ClauseStartsWith(starts_with=text):
            return literal(text) + anything
        case ClauseEndsWith(ends_with=text):
            return anything + literal(text)
        case ClauseContains(contains=text):
            return anything + literal(text) + anything
        case ClauseRegex(regex=text):
            return _searched(text, anything)


def _searched(regex: str, anything: str) -> str:
    """A pattern that the library searches for, made to cover the whole name."""
    starts, ends = regex.startswith("^"), regex.endswith("$") and not regex.endswith(r"\$")
    body = regex[1 if starts else 0 : -1 if ends else None]
    if re.search(r"(?<![\\\[])[\^$]", body):
        raise UnsupportedPatternError(regex, "an anchor inside the pattern cannot follow a provider's prefix")
    if _splits_at_the_top(body):
        raise UnsupportedPatternError(regex, "alternatives outside of a group would not all be anchored")
    return f"{'' if starts else anything}(?:{body}){'' if ends else anything}"


def _splits_at_the_top(body: str) -> bool:
    depth = 0
    for part in re.findall(r"\\.|\[[^\]]*\]|[()|]", body):
        depth += {"(": 1, ")": -1}.get(part, 0)
        if part == "|" and depth == 0:
            return True
    return False
