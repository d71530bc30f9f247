"""The boundary: what is asked is judged by the engine's own reading of it, and admitted or refused.

text ─▶ the engine's spelling ─▶ tail parted ─▶ one statement that reads? ─▶ tree: every node, table and
function on a list of what is allowed ─▶ that same spelling is run, on a handle with readonly=1

Neither half is enough alone: readonly=1 still lets INTO OUTFILE and file() through, and a tree does not show
everything, so a kind of node that hides part of itself is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sightline_collector.errors import StoreRefused
from sightline_collector.gateway.names import SYSTEM, Names
from sightline_collector.gateway.readable import READABLE
from sightline_collector.gateway.refusal import SYNTAX_ERROR, Refused, access_denied, not_read_only
from sightline_collector.gateway.statement import Statement, has_odd_names, take_apart
from sightline_collector.gateway.syntax import Node, Unreadable, read_tree
from sightline_collector.store.engine import quoted
from sightline_collector.store.reads import Reads

_EXISTS = frozenset({"ExistsTableQuery", "ExistsViewQuery", "ExistsDatabaseQuery"})
_STATEMENTS = _EXISTS | {"SelectWithUnionQuery", "SelectIntersectExceptQuery", "DescribeQuery", "Explain"}
_EXPLAINS = frozenset(
    {"EXPLAIN", "EXPLAIN AST", "EXPLAIN SYNTAX", "EXPLAIN QUERY TREE", "EXPLAIN PIPELINE", "EXPLAIN ESTIMATE"}
)
_MEMBERSHIP = re.compile(r"(global)?(not)?(null)?in(ignoreset)?", re.IGNORECASE)

_NAME = r"[A-Za-z_]\w*"
_LIKE = r"(?: NOT)?(?: I?LIKE '(?:[^'\\]|\\.)*')?(?: LIMIT \d+)?"
_SHOWS = re.compile(
    rf"SHOW (?:DATABASES|FUNCTIONS|TABLES(?: FROM (?P<database>{_NAME}))?){_LIKE}"
    rf"|SHOW COLUMNS FROM (?P<relation>{_NAME})(?: FROM (?P<within>{_NAME}))?{_LIKE}"
    rf"|SHOW CREATE (?:TABLE|VIEW) (?:(?P<owner>{_NAME})\.)?(?P<made>{_NAME})",
    re.ASCII,
)
_PARAMETER_NAME = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
_IDENTIFIER = re.compile(rf"{_NAME}(\.{_NAME})*", re.ASCII)

NODES_MAX = 50_000
"""The engine's own bound (max_ast_elements), kept before the tree is read."""

READS_ONLY = "This port only reads: SELECT, WITH, SHOW, DESCRIBE, EXISTS and EXPLAIN, one at a time"


def admit(text: str, parameters: Mapping[str, str], reads: Reads, names: Names) -> Statement:
    """The statement to run. Raises Refused for what may not be run, StoreRefused for what does not parse."""
    spelled = _spelled(text, reads)
    if has_odd_names(spelled):
        raise access_denied("A name holds control characters or backslashes", "Give it a plain alias")
    _check_parameters(spelled, parameters)
    statement = take_apart(spelled)
    if not reads.single_read(statement.body):
        raise _writes()
    if statement.body.startswith("SHOW "):
        _check_show(statement.body, names)
    else:
        _check_tree(_tree(statement.body, parameters, reads), names)
    return statement


def _spelled(text: str, reads: Reads) -> str:
    if not text.strip(" \t\r\n;"):
        raise Refused(62, "SYNTAX_ERROR", "Empty query", hint="Send a statement as body or as ?query=")
    try:
        return reads.text(f"select formatQuerySingleLine({quoted(text)})")
    except StoreRefused as e:
        if e.code == SYNTAX_ERROR:
            said = e.message.partition(": In scope SELECT formatQuerySingleLine(")[0]
            raise Refused(SYNTAX_ERROR, "SYNTAX_ERROR", said.removesuffix(" (SYNTAX_ERROR)")) from None
        raise


def _check_parameters(spelled: str, parameters: Mapping[str, str]) -> None:
    for name, value in parameters.items():
        if not _PARAMETER_NAME.fullmatch(name):
            raise Refused(457, "BAD_QUERY_PARAMETER", f"{name[:60]!r} cannot name a parameter")
        if f"{{{name}:Identifier}}" in spelled and not _IDENTIFIER.fullmatch(value):
            raise access_denied(f"The parameter {name} names nothing that can be read")


def _tree(body: str, parameters: Mapping[str, str], reads: Reads) -> Node:
    printed = reads.text(f"explain ast {body}", parameters)
    if printed.count("\n") > NODES_MAX:
        raise Refused(168, "TOO_BIG_AST", f"The statement has more than {NODES_MAX} parts", status=400)
    try:
        return read_tree(printed)
    except Unreadable:
        raise access_denied("The statement's names cannot be told apart", "Give plain aliases") from None


def _check_show(body: str, names: Names) -> None:
    found = _SHOWS.fullmatch(body)
    if found is None:
        raise access_denied(
            "Of SHOW, only DATABASES, TABLES, COLUMNS, FUNCTIONS, CREATE TABLE are answered, without WHERE",
            "Select from system.tables, system.columns or system.functions instead",
        )
    if (found["database"] or names.database) not in (names.database, SYSTEM):
        raise _other_database(str(found["database"]), names)
    relation, owner = found["relation"] or found["made"], found["within"] or found["owner"]
    if relation:
        _check_table(f"{owner}.{relation}" if owner else relation, names)


def _check_tree(root: Node, names: Names) -> None:
    # Among the children of the whole statement, a literal is the file that it would write.
    if root.kind not in _STATEMENTS or any(child.kind == "Literal" for child in root.children):
        raise _writes()
    for node in root.walk():
        if node.kind == "Function":
            _check_function(node, names)
        elif node.kind == "TableIdentifier":
            _check_table(node.name, names)
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


def _check_table(said: str, names: Names) -> None:
    """A table, view or common table expression by its name; a dot parts it from its database."""
    database, dot, name = said.rpartition(".")
    if dot and database != names.database:
        _check_foreign_table(database, name, names)
        return
    if name in names.views:
        return
    if not _IDENTIFIER.fullmatch(name):
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
        raise _other_database(database, names)


def _check_table_function(expression: Node, names: Names) -> None:
    for node in expression.children:
        if node.kind == "Function" and node.name not in READABLE.table_functions:
            if node.name.removeprefix(f"{names.database}.") in names.views:
                continue
            raise access_denied(
                f"The table function {node.name[:60]} is shut",
                f"Open are {', '.join(sorted(READABLE.table_functions))}",
            )


def _check_function(node: Node, names: Names) -> None:
    name = node.name
    if _MEMBERSHIP.fullmatch(name):
        _check_membership(node, names)
    elif name.lower().startswith("dict"):
        _check_dictionary(node, names)
    if name in READABLE.table_functions or name.removeprefix(f"{names.database}.") in names.views:
        return
    if not names.is_open(name):
        known = name.lower() in names.functions.shut
        if known:
            raise access_denied(f"The function {name[:60]} is shut", "It does more than compute")
        raise Refused(46, "UNKNOWN_FUNCTION", f"There is no function {name[:60]!r}")


def _check_membership(node: Node, names: Names) -> None:
    """The right side of IN: a lone name there can mean a table."""
    arguments = node.children[0].children if node.children else []
    if len(arguments) > 1 and arguments[1].kind == "Identifier":
        said = arguments[1].name
        database, dot, _ = said.rpartition(".")
        if not dot or any(database == known for known, _ in names.relations()):
            _check_table(said, names)


def _check_dictionary(node: Node, names: Names) -> None:
    """A dictionary must be named outright, and be one of the store's."""
    arguments = node.children[0].children if node.children else []
    said = arguments[0].name.strip("'") if arguments else ""
    database, dot, _ = said.rpartition(".")
    named = bool(arguments) and arguments[0].kind in ("Literal", "Identifier")
    if not named or (dot and database != names.database):
        raise access_denied(f"{node.name[:60]} may look into the store's own dictionaries only")


def _check_identifier(said: str, names: Names) -> None:
    """A function's bare name can be an argument: arrayMap(file, ...)."""
    if said.lower() in names.functions.shut:
        raise access_denied(
            f"{said[:60]!r} is the name of a function that is shut",
            "Qualify a column of that name: spans.name",
        )


def _check_explain(node: Node) -> None:
    if node.name not in _EXPLAINS:
        raise access_denied(f"{node.name[:60]} is not answered", f"Open are {', '.join(sorted(_EXPLAINS))}")
    # Its own options (indexes = 1) are no query settings; the tree does not show either.
    node.children[:] = [child for child in node.children if child.kind != "Set"]


def _check_exists(node: Node, names: Names) -> None:
    parts = [child.name for child in node.children]
    if node.kind == "ExistsDatabaseQuery":
        return
    _check_table(".".join(parts), names)


def _writes() -> Refused:
    return not_read_only("The statement does more than read", READS_ONLY)


def _hidden(node: Node) -> Refused:
    if node.kind == "Set":
        return not_read_only("SETTINGS stand in the middle", "Put them at the statement's end, or in the URL")
    if node.kind == "ColumnsApplyTransformer":
        return access_denied("APPLY is not answered", "Write the columns out: sum(a), sum(b)")
    return access_denied(f"{node.kind[:60]} is not answered", READS_ONLY)


def _private(name: str, names: Names) -> Refused:
    view = re.sub(r"_v\d+$", "", name)
    listed = "Ask a view: select name from system.tables where engine = 'View' lists them"
    return access_denied(f"{name} is private", f"Ask the view {view}" if view in names.views else listed)


def _other_database(database: str, names: Names) -> Refused:
    return access_denied(
        f"The database {database[:60]!r} is not for readers of this port",
        f"Leave it out, or write {names.database}.spans",
    )


def database_of(asked: str, names: Names) -> str:
    """The database a client may stay in: its own default means ours. Raises Refused for another."""
    if asked in ("", "default", "__default__", names.database):
        return names.database
    raise Refused(
        81,
        "UNKNOWN_DATABASE",
        f"There is no database {asked[:60]!r} here",
        hint=f"Leave it out, or say {names.database}",
    )
