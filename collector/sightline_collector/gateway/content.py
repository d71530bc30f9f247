"""Whether a statement reads content: what people and models wrote. Pure, over a statement's tree.

It rather says yes once too often: a column is told by its name, and every * over a view that has one counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sightline_collector.gateway.syntax import Node

CONTENT = frozenset(
    {"input", "output", "events", "body", "comment", "correction", "attributes"}
    | {"Body", "SpanAttributes", "LogAttributes", "Events.Attributes"}
)
"""Columns of views."""
ALONE = CONTENT - {"attributes", "events"}
"""What makes a view one of content: metrics have attributes, too."""


def content_of(tree: Node, columns: Mapping[str, frozenset[str]]) -> str:
    """`input, output of spans`; "" for a statement that reads none. `columns`: those of each view."""
    named = {
        node.name.rpartition(".")[2] for node in _parts(tree) if node.kind in ("TableIdentifier", "Function")
    }
    views = sorted(view for view in named if columns.get(view, frozenset()) & ALONE)
    if not views:
        return ""
    held = frozenset().union(*(columns[view] & CONTENT for view in views))
    if any(_is_wildcard(node) for node in _parts(tree)):
        read = held
    else:
        said = [node.name for node in _parts(tree) if node.kind == "Identifier"]
        read = frozenset(column for column in held for name in said if _names(name, column))
    return f"{', '.join(sorted(read))} of {', '.join(views)}" if read else ""


def _parts(node: Node) -> Iterator[Node]:
    """Every node but those within count(): a count shows nothing."""
    yield node
    if node.kind == "Function" and node.name == "count":
        return
    for child in node.children:
        yield from _parts(child)


def _is_wildcard(node: Node) -> bool:
    return node.kind.endswith(("Asterisk", "Matcher"))


def _names(said: str, column: str) -> bool:
    """True for input, spans.input, and events.name of the column events."""
    return f".{column}." in f".{said}."
