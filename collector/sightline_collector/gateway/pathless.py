"""The engine's lists of databases and tables, without where they lie on the disk. Pure.

What a key may see is filtered by rows; a path stands in a column. So where a statement reads such a list, it
reads a selection of it instead, under the same name. What names a list in any other place is refused.
"""

from __future__ import annotations

import re

from sightline_collector.gateway.refusal import access_denied
from sightline_collector.gateway.statement import QUOTED
from sightline_collector.gateway.syntax import Node

LISTS = {
    "databases": "* REPLACE ('' AS data_path, '' AS metadata_path), name AS database",
    "tables": "* REPLACE (CAST([], 'Array(String)') AS data_paths, '' AS metadata_path), name AS table",
}
"""What is read of each: all columns, and the other name of the one that has two."""

_LIST = re.compile(
    rf"(?P<quoted>{QUOTED.pattern})"
    rf"|(?P<before>\b(?:FROM|JOIN) |, )?\bsystem\.(?P<list>{'|'.join(LISTS)})(?![\w.(])(?P<named> AS )?",
    re.DOTALL,
)
_BY_PARAMETER = ":Identifier}"


_MAY_READ_A_LIST = re.compile(r"\b(?:system|information_schema)\b|^SHOW |:Identifier}", re.IGNORECASE)


def reads_lists(body: str) -> bool:
    """Whether a statement may read any list of the engine's, this kind or another."""
    return _MAY_READ_A_LIST.search(body) is not None


def without_paths(body: str, tree: Node) -> str:
    """The statement, in the engine's own spelling, that is run instead. Raises Refused."""
    lists = {f"system.{name}" for name in LISTS}
    named = any(node.name in lists and "Identifier" in node.kind for node in tree.walk())
    if not named or tree.kind == "DescribeQuery":
        return body
    found = [one for one in _LIST.finditer(body) if one["list"]]
    if not found or not all(one["before"] for one in found) or _BY_PARAMETER in QUOTED.sub("", body):
        raise access_denied("A list of the engine's is read where it cannot be", "Name it after FROM or JOIN")
    return _LIST.sub(_selection, body)


def _selection(found: re.Match[str]) -> str:
    if found["quoted"]:
        return found[0]
    name = found["list"]
    selected = f"{found['before']}view(SELECT {LISTS[name]} FROM system.{name})"  # noqa: S608 - our own
    return f"{selected}{found['named'] or f' AS {name}'}"
