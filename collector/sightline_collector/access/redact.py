"""Redacts a subject's names in the rows of others: in every stored table, in each column that has text.

Rows stay, and with them calls, tokens and money. What a table is sorted by, and what totals and prices rest
on, stays as it is: a name found there is told by the search.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sightline_collector.access.redaction import NO_TRACE, PLACEHOLDER, Redaction
from sightline_collector.access.rewriting import Rewriting
from sightline_collector.access.subject import TRACES_AT_ONCE
from sightline_collector.access.texts import Rewrite, assigned, texts
from sightline_collector.sql.catalog import Catalog, quoted
from sightline_collector.store.engine import Engine

OWN = ("dialects_v1", "message_keys_v1", "operations_v1", "price_", "schema_v1")
"""What tables begin with that hold nothing but the product's own words, and price lists."""

AS_THEY_ARE = (
    "project", "service", "operation", "dialect", "provider", "model", "request_model", "response_model",
    "trace_id", "span_id", "parent_span_id", "writer",
)  # fmt: skip
"""Columns by which rows are joined, priced and added up."""

INSTEAD = rf"\1{PLACEHOLDER}\2"
ROUNDS = 3
"""Settlement may copy a row that is being redacted: the next round has the copy."""
TRACES_IN_ONE = 50
COLUMNS_IN_ONE = 12
"""In the text of one mutation."""

_COLUMNS = """
select table, name, type from system.columns
where database = currentDatabase() and default_kind not in ('MATERIALIZED', 'ALIAS')
    and not is_in_sorting_key and not is_in_partition_key and not is_in_primary_key
order by table, position
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that may hold names: its name and type."""

    name: str
    type: str

    def holds(self, pattern: str) -> str:
        """True, in SQL, for rows in which a text matches."""
        return f"arrayExists(one -> match(one, {pattern}), {texts(self.type, self.name)})"


@dataclass(slots=True)
class Redacted:
    """Rows that were changed, and their columns, by table; rows that still hold a name, by table."""

    rows: Counter[str] = field(default_factory=Counter)
    columns: dict[str, set[str]] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)

    def said(self) -> dict[str, object]:
        """For a certificate."""
        columns = {table: sorted(names) for table, names in self.columns.items()}
        return {"rows": dict(self.rows), "columns": columns, "left": dict(self.left)}


def redact(engine: Engine, redaction: Redaction, work: Rewriting) -> Redacted:
    """Redacts and counts. Raises StoreRefused, StoreUnreachable; asked again it goes on where it was."""
    tables = _tables(engine)
    work.take_up(tables)
    done = Redacted()
    for turn in range(ROUNDS + 1):
        done.left.clear()
        for table, columns in tables.items():
            mentioned = _mentioned(engine, redaction, table, columns)
            rows, found = _found(engine, redaction, table, columns, mentioned)
            if rows and turn < ROUNDS:
                _change(redaction, table, found, mentioned, work)
                done.columns.setdefault(table, set()).update(column.name for column in found)
                done.rows[table] += rows
            done.left += Counter({table: rows})
        if not done.left:
            break
    return done


def _tables(engine: Engine) -> dict[str, list[Column]]:
    """What can be changed: columns by table."""
    names = (relation.name for relation in Catalog("").relations("tables"))
    stored = {engine.stored(name): name for name in names if not name.startswith(OWN)}
    tables: dict[str, list[Column]] = {}
    for row in engine.rows(_COLUMNS):
        column = Column(str(row["name"]), str(row["type"]))
        if row["table"] in stored and column.name not in AS_THEY_ARE and texts(column.type, column.name):
            tables.setdefault(stored[row["table"]], []).append(column)
    return tables


def _partitions(engine: Engine, table: str) -> list[str]:
    """A table is looked through piece by piece: a server has a minute for an answer."""
    rows = engine.rows(f"select distinct _partition_id as id from {table}")  # noqa: S608
    return sorted(str(row["id"]) for row in rows)


def _mentioned(engine: Engine, redaction: Redaction, table: str, columns: list[Column]) -> list[str]:
    """Ids of the traces that stand in a table's texts."""
    ids, found = sorted(redaction.traces), set[str]()
    every = f"arrayConcat({', '.join(texts(column.type, column.name) for column in columns)})"
    of_text = f"arrayMap(one -> extractAll(one, '[0-9a-f]{{32}}'), {every})"
    for partition in _partitions(engine, table) if ids else ():
        for start in range(0, len(ids), TRACES_AT_ONCE):
            some = ", ".join(map(quoted, ids[start : start + TRACES_AT_ONCE]))
            sql = f"""
                select distinct id from (
                    select arrayJoin(arrayFlatten({of_text})) as id from {table}
                    where _partition_id = {{partition:String}})
                where id in ({some})
                """  # noqa: S608
            found |= {str(row["id"]) for row in engine.rows(sql, {"partition": partition})}
    return sorted(found)


def _found(
    engine: Engine, redaction: Redaction, table: str, columns: list[Column], traces: list[str]
) -> tuple[int, list[Column]]:
    """How many rows hold a name or a trace's id, and in which of the columns."""
    pattern = _hidden("|".join([redaction.pattern, *traces]))
    counts = ", ".join(f"countIf({column.holds(pattern)}) as c{n}" for n, column in enumerate(columns))
    any_of = " or ".join(column.holds(pattern) for column in columns)
    held: Counter[str] = Counter()
    for partition in _partitions(engine, table):
        sql = f"""
            select countIf({any_of}) as rows, {counts} from {table} where _partition_id = {{partition:String}}
            """  # noqa: S608
        held.update({name: int(n) for name, n in engine.rows(sql, {"partition": partition})[0].items()})
    return held["rows"], [column for n, column in enumerate(columns) if held[f"c{n}"]]


def _change(
    redaction: Redaction, table: str, columns: list[Column], traces: list[str], work: Rewriting
) -> None:
    """A few columns and ids at a time: the engine takes 256 KB of text in one statement."""
    for start in range(0, max(1, len(traces)), TRACES_IN_ONE):
        some = traces[start : start + TRACES_IN_ONE]
        for at in range(0, len(columns), COLUMNS_IN_ONE):
            work.say({table: _update(redaction, columns[at : at + COLUMNS_IN_ONE], some)})


def _update(redaction: Redaction, columns: list[Column], traces: list[str]) -> str:
    """What is said of a table. Patterns stand in hexadecimal digits: its text is kept for a while."""
    rewrite = rewriting(redaction, traces)
    pattern = _hidden("|".join([redaction.pattern, *traces]))
    where = " or ".join(column.holds(pattern) for column in columns)
    return f"update {', '.join(assigned(c.type, c.name, rewrite) for c in columns)} where {where}"


def rewriting(redaction: Redaction, traces: Sequence[str] = ()) -> Rewrite:
    """A text in SQL, without the names and these traces' ids."""
    name, ids = _hidden(redaction.pattern), _hidden("|".join(traces))

    def rewrite(text: str) -> str:
        for _ in range(2):  # of two names side by side the first takes what is between them
            text = f"replaceRegexpAll({text}, {name}, {quoted(INSTEAD)})"
        return f"replaceRegexpAll({text}, {ids}, {quoted(NO_TRACE)})" if traces else text

    return rewrite


def _hidden(pattern: str) -> str:
    return f"unhex('{pattern.encode().hex()}')"
