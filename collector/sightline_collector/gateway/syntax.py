"""Reads the engine's EXPLAIN AST: one node a line, a space of indentation for each level. Pure.

SelectWithUnionQuery (children 1)
 ExpressionList (children 1)
  SelectQuery (children 2)
   ExpressionList (children 1)
    Function count (alias n) (children 1)
     ExpressionList
   TablesInSelectQuery (children 1)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_CHILDREN = re.compile(r" \(children (\d+)\)$")


@dataclass(slots=True)
class Node:
    """One node: its kind (Function), its name (count), its children in order."""

    kind: str
    name: str
    children: list[Node] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """The node and all below it."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.children)


class Unreadable(ValueError):  # noqa: N818 - says what the text is
    """The text is not such a tree: lines are missing, or there is one too many."""


def read_tree(text: str) -> Node:
    """The tree. Raises Unreadable when the announced children are not those that are there."""
    root: Node | None = None
    path: list[tuple[Node, int]] = []
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(" "))
        node, announced = _node(line[depth:])
        _ascend(path, depth)
        if path:
            path[-1][0].children.append(node)
        elif root is None:
            root = node
        else:
            raise Unreadable("two roots")
        path.append((node, announced))
    _ascend(path, 0)
    if root is None or not root.kind:
        raise Unreadable("no root")
    return root


def _ascend(path: list[tuple[Node, int]], depth: int) -> None:
    if depth > len(path):
        raise Unreadable("a level is left out")
    while len(path) > depth:
        node, announced = path.pop()
        if len(node.children) != announced:
            raise Unreadable(f"{node.kind} announces {announced} children")


def _node(line: str) -> tuple[Node, int]:
    found = _CHILDREN.search(line)
    said = line[: found.start()] if found else line
    kind, _, rest = said.partition(" ")
    name = rest.split(" (alias ", 1)[0] if kind != "Literal" else rest
    return Node(kind, "" if name.startswith("(alias ") else name), int(found[1]) if found else 0
