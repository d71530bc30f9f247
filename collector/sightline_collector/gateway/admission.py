"""The boundary: what is asked is judged by the engine's own reading of it, and admitted or refused.

text ─▶ the engine's spelling ─▶ tail parted ─▶ one statement that reads? ─▶ tree: every node, table and
function on a list of what is allowed ─▶ that same spelling is run, on a handle with readonly=1

Neither half is enough alone: readonly=1 still lets INTO OUTFILE and file() through, and a tree does not show
everything, so a kind of node that hides part of itself is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from sightline_collector.errors import StoreRefused
from sightline_collector.gateway.content import content_of
from sightline_collector.gateway.judgement import check_table, check_tree, other_database, writes
from sightline_collector.gateway.names import SYSTEM, Names
from sightline_collector.gateway.pathless import without_paths
from sightline_collector.gateway.refusal import SYNTAX_ERROR, Refused, access_denied, of_store
from sightline_collector.gateway.statement import Statement, has_odd_names, has_word, take_apart
from sightline_collector.gateway.syntax import Node, Unreadable, read_tree
from sightline_collector.sql.catalog import quoted
from sightline_collector.store.reads import Reads

_NAME = r"[A-Za-z_]\w*"
_LIKE = r"(?: NOT)? I?LIKE '(?:[^'\\]|\\.)*'"
_LIMIT = r" LIMIT \d+"
_SHOWS = re.compile(
    rf"SHOW (?:DATABASES|FUNCTIONS)(?:{_LIKE})?(?:{_LIMIT})?"
    rf"|SHOW TABLES(?: FROM (?P<database>{_NAME}))?(?P<like>{_LIKE})?(?P<limit>{_LIMIT})?"
    rf"|SHOW COLUMNS FROM (?P<relation>{_NAME})(?: FROM (?P<within>{_NAME}))?(?:{_LIKE})?(?:{_LIMIT})?"
    rf"|SHOW CREATE (?:TABLE|VIEW) (?:(?P<owner>{_NAME})\.)?(?P<made>{_NAME})",
    re.ASCII,
)
_PARAMETER_NAME = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
_IDENTIFIER = re.compile(rf"{_NAME}(\.{_NAME})*", re.ASCII)

_BLIND = ("EXPLAIN AST", "EXPLAIN SYNTAX")
"""What is explained without a look at the data."""

NODES_MAX = 50_000
"""The engine's own bound (max_ast_elements), kept before the tree is read."""


def admit(
    text: str, parameters: Mapping[str, str], reads: Reads, names: Names, *, bound: bool = False
) -> Statement:
    """The statement to run; `bound`: by who sees a part of the rows only.

    Raises Refused for what may not be run, StoreRefused for what does not parse.
    """
    spelled = _spelled(text, reads)
    if has_odd_names(spelled):
        raise access_denied("A name holds control characters or backslashes", "Give it a plain alias")
    _check_parameters(spelled, parameters)
    statement = take_apart(spelled)
    if not reads.single_read(statement.body):
        raise writes()
    if statement.body.startswith("SHOW "):
        return replace(statement, body=_shown(statement.body, names))
    tree = _tree(statement.body, parameters, reads)
    check_tree(tree, names)
    if bound:
        _check_bound(statement.body, tree)
    content = content_of(tree, names.columns())
    return replace(statement, body=without_paths(statement.body, tree), content=content)


def _check_bound(body: str, tree: Node) -> None:
    """Refuses what would be judged before the filter of the reader's rows, or would count those of others."""
    if has_word(body, "PREWHERE"):
        raise access_denied("PREWHERE is not answered to a key of one project", "Write WHERE")
    if any(node.kind == "Explain" and node.name not in _BLIND for node in tree.walk()):
        raise access_denied("Plans and estimates tell of all projects", f"Open are {', '.join(_BLIND)}")


def _spelled(text: str, reads: Reads) -> str:
    if not text.strip(" \t\r\n;"):
        raise Refused(
            SYNTAX_ERROR, "SYNTAX_ERROR", "Empty query", hint="Send a statement as body or as ?query="
        )
    try:
        return reads.text(f"select formatQuerySingleLine({quoted(text)})")
    except StoreRefused as e:
        why = of_store(e)
        said = e.message.partition(": In scope SELECT formatQuerySingleLine(")[0]
        raise Refused(why.code, why.name, said.removesuffix(f" ({why.name})"), status=400) from None


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


def _shown(body: str, names: Names) -> str:
    """The SHOW that is run: of the store's own tables only the views, which are all that a reader may ask."""
    found = _SHOWS.fullmatch(body)
    if found is None:
        raise access_denied(
            "Of SHOW, only DATABASES, TABLES, COLUMNS, FUNCTIONS, CREATE TABLE are answered, without WHERE",
            "Select from system.tables, system.columns or system.functions instead",
        )
    if (found["database"] or names.database) not in (names.database, SYSTEM):
        raise other_database(str(found["database"]), names)
    relation, owner = found["relation"] or found["made"], found["within"] or found["owner"]
    if relation:
        check_table(f"{owner}.{relation}" if owner else relation, names)
    if not body.startswith("SHOW TABLES") or found["database"] == SYSTEM:
        return body
    like = f" AND name{found['like']}" if found["like"] else ""
    return (
        "SELECT name FROM system.tables"  # noqa: S608 - of parts that matched
        f" WHERE database = {quoted(names.database)} AND engine = 'View'{like}"
        f" ORDER BY name{found['limit'] or ''}"
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
