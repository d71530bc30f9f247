"""Judges a statement's tree: each node, table and function must be on a list of what is allowed. Pure, but
for the list of the store's relations.

A kind of node that hides a part of itself is refused: what is not printed cannot be judged.
"""

from __future__ import annotations

import re

from sightline_collector.gateway.names import SYSTEM, Names
from sightline_collector.gateway.readable import READABLE
from sightline_collector.gateway.refusal import Refused, access_denied, not_read_only
from sightline_collector.gateway.syntax import Node

_EXISTS = frozenset({"ExistsTableQuery", "ExistsViewQuery", "ExistsDatabaseQuery"})
_STATEMENTS = _EXISTS | {"SelectWithUnionQuery", "SelectIntersectExceptQuery", "DescribeQuery", "Explain"}
_EXPLAINS = frozenset(
    {"EXPLAIN", "EXPLAIN AST", "EXPLAIN SYNTAX", "EXPLAIN QUERY TREE", "EXPLAIN PIPELINE", "EXPLAIN ESTIMATE"}
)
_STRUCTURED = "values"
# Beside its name and type a column may have these, and after most of them an expression that no tree shows.
_BEYOND_A_TYPE = re.compile(
    r"\b(default|materialized|ephemeral|alias|ttl|codec|statistics|settings|comment|collate|auto_increment"
    r"|primary|index|projection|constraint|\w*aggregatefunction)\b",
    re.ASCII | re.IGNORECASE,
)
# The tree shows a text escaped: what stands behind a backslash, but a quote, may be white space in disguise.
_COLUMNS = re.compile(r"[\w (),'=.-]*", re.ASCII)
_COLUMN = re.compile(r"\w+ +\w+ *", re.ASCII)
_WITHIN = re.compile(r"\([^()]*\)")
_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)

READS_ONLY = "This port only reads: SELECT, WITH, SHOW, DESCRIBE, EXISTS and EXPLAIN, one at a time"


def check_tree(root: Node, names: Names) -> None:
    """Raises Refused for the first thing in it that is not for readers."""
    # Among the children of the whole statement, a literal is the file that it would write.
    if root.kind not in _STATEMENTS or any(child.kind == "Literal" for child in root.children):
        raise writes()
    for node in root.walk():
        if node.kind == "Function":
            _check_function(node, names)
        elif node.kind == "TableIdentifier":
            check_table(node.name, names)
        elif node.kind == "TableExpression":
            _check_table_function(node, names)
        elif node.kind == "Identifier":
            _check_identifier(node.name, names)
        elif node.kind == "Explain":
            _check_explain(node)
        elif node.kind in _EXISTS:
            _check_exists(node, names)
        elif node.kind not in READABLE.syntax_nodes:
            raise _hidden(node)


def check_table(said: str, names: Names) -> None:
    """A table, view or common table expression by its name; a dot parts it from its database."""
    database, dot, name = said.rpartition(".")
    if dot and database != names.database:
        _check_foreign_table(database, name, names)
        return
    if name in names.views:
        return
    if not _PLAIN_NAME.fullmatch(name):
        raise access_denied(f"{said[:80]!r} is not a view's name", "SHOW TABLES lists the names")
    # Only what is no relation of the store can be a common table expression's name.
    if (names.database, name) in names.relations():
        raise _private(name, names)


def _check_foreign_table(database: str, name: str, names: Names) -> None:
    if database == SYSTEM:
        if name not in READABLE.system_tables:
            raise access_denied(
                f"system.{name[:60]} is not for readers of this port",
                "Open are system.tables, system.columns, system.functions and their like",
            )
    elif database.lower() == "information_schema":
        if name.lower() not in READABLE.information_schema:
            raise access_denied(f"{database}.{name[:60]} is not for readers of this port")
    else:
        raise other_database(database, names)


def _check_table_function(expression: Node, names: Names) -> None:
    for node in expression.children:
        if node.kind == "Function" and node.name not in READABLE.table_functions:
            if node.name.removeprefix(f"{names.database}.") in names.views:
                continue
            raise access_denied(
                f"The table function {node.name[:60]} is shut",
                f"Open are {', '.join(sorted(READABLE.table_functions))}",
            )
        if node.kind == "Function" and node.name == _STRUCTURED:
            _check_structure(node)


def _check_structure(values: Node) -> None:
    """What comes first may be a text that the engine reads as columns: it must be written out, and hold no
    more than names and types."""
    arguments = values.children[0].children if values.children else []
    for first in arguments[:1]:
        is_text = first.kind == "Literal" and first.name.startswith("'")
        is_row = first.kind == "Literal" or (first.kind == "Function" and first.name == "tuple")
        if not is_row or (is_text and not _names_and_types_only(first.name[1:-1])):
            raise access_denied(
                "The columns of values() may have names and types only",
                "Write them out: values('a String, b UInt8', ('x', 1))",
            )


def _names_and_types_only(shown: str) -> bool:
    """Whether a text calls nothing when it is read as columns: without brackets, or `name Type, ...`."""
    text = shown.replace("\\'", "'")
    if "(" not in text:
        return "\\" not in text
    if not _COLUMNS.fullmatch(text) or _BEYOND_A_TYPE.search(text):
        return False
    while (outer := _WITHIN.sub("", text)) != text:
        text = outer
    return all(_COLUMN.fullmatch(part.strip()) for part in text.split(","))


def _check_function(node: Node, names: Names) -> None:
    name = node.name
    if name.lower().startswith("dict"):
        _check_dictionary(node, names)
    if name in READABLE.table_functions or name.removeprefix(f"{names.database}.") in names.views:
        return
    if not names.is_open(name):
        known = name.lower() in names.functions.shut
        if known:
            raise access_denied(f"The function {name[:60]} is shut", "It does more than compute")
        raise Refused(46, "UNKNOWN_FUNCTION", f"There is no function {name[:60]!r}")


def _check_dictionary(node: Node, names: Names) -> None:
    """A dictionary must be named outright, not by an alias or an expression, and be one of the store's."""
    arguments = node.children[0].children if node.children else []
    first = arguments[0] if arguments else node
    named = first.name.strip("'").removeprefix(f"{names.database}.")
    known = first.kind in ("Literal", "Identifier") and (names.database, named) in names.relations()
    if not known or named in READABLE.shut_dictionaries:
        raise access_denied(f"{node.name[:60]} may look into the store's own dictionaries only")


def _check_identifier(said: str, names: Names) -> None:
    """A bare name can be more than a column: a function (arrayMap(file, ...)), or a table (x in spans_v1,
    also by way of an alias)."""
    if said.lower() in names.functions.shut:
        raise access_denied(
            f"{said[:60]!r} is the name of a function that is shut",
            "Qualify a column of that name: spans.name",
        )
    database, dot, _ = said.rpartition(".")
    if not dot and said not in names.views and (names.database, said) in names.relations():
        raise _private(said, names)
    if dot and any(database == known for known, _ in names.relations()):
        check_table(said, names)


def _check_explain(node: Node) -> None:
    if node.name not in _EXPLAINS:
        raise access_denied(f"{node.name[:60]} is not answered", f"Open are {', '.join(sorted(_EXPLAINS))}")
    # Its own options (indexes = 1) are no query settings; the tree does not show either.
    node.children[:] = [child for child in node.children if child.kind != "Set"]


def _check_exists(node: Node, names: Names) -> None:
    parts = [child.name for child in node.children]
    if node.kind == "ExistsDatabaseQuery":
        return
    check_table(".".join(parts), names)


def writes() -> Refused:
    """The refusal of a statement that is no read."""
    return not_read_only("The statement does more than read", READS_ONLY)


def _hidden(node: Node) -> Refused:
    if node.kind == "Set":
        return not_read_only("SETTINGS stand in the middle", "Put them at the statement's end, or in the URL")
    if node.kind == "ColumnsApplyTransformer":
        return access_denied("APPLY is not answered", "Write the columns out: sum(a), sum(b)")
    return access_denied(f"{node.kind[:60]} is not answered", READS_ONLY)


def _private(name: str, names: Names) -> Refused:
    view = re.sub(r"_v\d+$", "", name)
    listed = "Ask a view: SHOW TABLES lists them"
    return access_denied(f"{name} is private", f"Ask the view {view}" if view in names.views else listed)


def other_database(database: str, names: Names) -> Refused:
    """The refusal of a name outside the store's own database."""
    return access_denied(
        f"The database {database[:60]!r} is not for readers of this port",
        f"Leave it out, or write {names.database}.spans",
    )
