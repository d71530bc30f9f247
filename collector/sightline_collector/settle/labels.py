"""Labels of a call: what it was made for, and for whom. Pure.

The span that is paid need not be the one that says so: an instrumentation names the user, the library's own
span knows the tokens. What a paid span does not say is taken from the spans that tell of the same call, then
from the sums above it, nearest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

TOGETHER = (
    ("feature",),
    ("user_id",),
    ("session_id",),
    ("prompt_name", "prompt_version"),
    ("experiment", "variant", "shadow"),
)
"""Columns that say one thing, each with its version or the like: it is taken whole or not at all."""

LABELS = tuple(name for columns in TOGETHER for name in columns)

Labels = tuple[str | int, ...]
"""The values of LABELS, in that order."""


def labels_of(row: Mapping[str, Any]) -> Labels:
    """The labels of a row with those columns."""
    return tuple(row[name] for name in LABELS)


def named(labels: Labels) -> dict[str, str | int]:
    """The labels by their columns."""
    return dict(zip(LABELS, labels, strict=True))


def filled(own: Labels, others: Iterable[Labels]) -> Labels:
    """A span's own labels, and those it lacks from the first other that has them."""
    found = named(own)
    for other in map(named, others):
        for columns in TOGETHER:
            if not any(found[name] for name in columns):
                found |= {name: other[name] for name in columns}
    return tuple(found.values())
