"""A long way of steps, cut into statements with tables in memory between them.

    requests ──▶ recognised_spans ──▶ mapped_spans ──▶ spans_v1
                    (Memory)             (Memory)

The engine looks at a step together with all that it reads, again and again: what it costs to plan a
statement grows faster than its length. Cut in three, one span takes two thirds, and a full segment less, too.
The tables lie in a database of their own, which nobody may ask, and are empty but while a segment is
inserted. Only the last statement stores anything, so a segment is stored whole or not at all, as before.
An insert that stands open is one statement, which would take eight seconds to plan: there views stand between
the steps, each of which is looked at by itself, and it takes one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sightline_collector.sql.catalog import Catalog, quoted
from sightline_collector.store.standing import Statements


@dataclass(frozen=True, slots=True)
class Way:
    """Steps from requests to a table's rows, after which of them it is cut, and after which a view stands for
    them where an insert stands open: none where it may not."""

    target: str
    steps: tuple[str, ...]
    cuts: tuple[str, ...] = ()
    views: tuple[str, ...] = ()

    @property
    def view_names(self) -> dict[str, str]:
        """What the view after each step is called."""
        return {step: f"{step}_coming" for step in self.views}


@dataclass(frozen=True, slots=True)
class Insertion:
    """Statements, one after the other; the first has the requests in place of `{source}`. `tidy` empties the
    tables between them, before and after."""

    statements: tuple[str, ...]
    tidy: tuple[str, ...] = ()


AS_THEY_COME = "min_insert_block_size_rows = 1, min_insert_block_size_bytes = 1"
"""Between statements blocks stay as small as they are: put together they would leave the caches."""


REQUESTS = "(select * from {source})"
"""Where a statement begins; who inserts a file, or opens a pipe, says where that is read."""

EMPTY = "engine = Memory empty as"
"""With the columns of what is selected. To look at that any further would take three times as long."""


def database_of(database: str) -> str:
    """Where what a database's segments go through lies."""
    return f"{database}_staging"


def tables(catalog: Catalog, way: Way, structure: str) -> dict[str, str]:
    """The statement that makes each table of a way's cuts, by its name, in the order in which they must be
    made: each reads the one before it. `structure` is that of requests."""
    places = _cuts(catalog, way)
    return {
        cut: f"create or replace table {places[cut]} {EMPTY}\n{part}\nselect * from {cut}"
        for cut, part in _parts(catalog, way, places, _none(structure), ())
        if cut in places
    }


def views(catalog: Catalog, way: Way, structure: str, columns: Mapping[str, str]) -> Iterator[str]:
    """The statements that make the views of a way. What they begin with is there while they are made, and
    while an insert stands open. `columns` are those of the tables of its cuts, by their names: a view is not
    looked through whose columns are told."""
    requests, places = _requests(catalog, way), _views(catalog, way)
    yield f"create or replace view {requests} as {_none(structure)}"
    for step, part in _parts(catalog, way, places, f"(select * from {requests})", ()):  # noqa: S608
        if step in places:
            told = f"({columns[step]}) " if step in columns else ""
            yield f"create or replace view {places[step]} {told}as\n{part}\nselect * from {step}"
    yield f"drop view {requests}"


def insertion(
    catalog: Catalog, way: Way, columns: Sequence[str], settings: str, without: Collection[str]
) -> Insertion:
    """What inserts requests, all the way and without some steps, into the named columns of the target."""
    names = ", ".join(columns)
    places = _cuts(catalog, way)
    statements = []
    for step, part in _parts(catalog, way, places, REQUESTS, without):
        into, chosen = f"{way.target} ({names}) settings {settings}", names
        if step in places:
            into, chosen = f"{places[step]} settings {settings}, {AS_THEY_COME}", "*"
        statements.append(f"insert into {into}\n{part}\nselect {chosen} from {step}")
    tidy = tuple(f"truncate table {place}" for place in places.values())
    return Insertion(tuple(statements), tidy)


def standing(
    catalog: Catalog,
    way: Way,
    columns: Mapping[str, str],
    settings: str,
    storing: str,
) -> Statements:
    """What inserts requests into the named columns, of these types, by an insert that stands open, and what
    stores its rows; both with their settings."""
    coming, come = (_place(catalog, f"{way.target}_{what}") for what in ("coming", "come"))
    names, typed = ", ".join(columns), ", ".join(f"{name} {type_}" for name, type_ in columns.items())
    requests = _requests(catalog, way)
    *_, (last, part) = _parts(catalog, way, _views(catalog, way), f"(select * from {requests})", ())  # noqa: S608
    into = f"insert into {coming} ({names}) settings {settings}, {AS_THEY_COME}"
    return Statements(
        coming,
        come,
        making=(
            f"create or replace table {come} ({typed}) engine = Memory",
            f"create or replace table {coming} ({typed}) engine = {_buffer(come)}",
        ),
        requests=f"create or replace view {requests} as {REQUESTS}",
        open=f"{into}\n{part}\nselect {names} from {last}",
        # A star, for each name would be looked for in the whole table: a quarter of its planning.
        store=f"insert into {way.target} ({names}) settings {storing}\nselect * from {come}",
        made=(coming, come, requests),
    )


def _buffer(of: str) -> str:
    """One that holds what has come until it is asked for it: its own bounds are out of reach."""
    database, table = of.split(".")
    return f"Buffer({database}, {table}, 1, {', '.join(['1e9'] * 2 + ['1e12'] * 2 + ['1e15'] * 2)})"


def _parts(
    catalog: Catalog, way: Way, places: Mapping[str, str], requests: str, without: Collection[str]
) -> Iterator[tuple[str, str]]:
    """The last step of each part of the way, and the part as a WITH clause. It begins with `requests`, and
    after each step that has a place the next part reads that."""
    source, begin = f"requests as {requests}", 0
    for last in (*places, way.steps[-1]):
        end = way.steps.index(last) + 1
        steps = catalog.render(catalog.way(way.steps[begin:end], without))
        yield last, f"with {source},\n{steps}"
        if last in places:
            source, begin = f"{last} as (select * from {places[last]})", end  # noqa: S608


def _none(structure: str) -> str:
    return f"(select * from null({quoted(structure)}))"  # noqa: S608 - our own structure


def _cuts(catalog: Catalog, way: Way) -> dict[str, str]:
    """The tables of its cuts, by their steps."""
    return {cut: _place(catalog, cut) for cut in way.cuts}


def _views(catalog: Catalog, way: Way) -> dict[str, str]:
    """Its views, by their steps."""
    return {step: _place(catalog, view) for step, view in way.view_names.items()}


def _requests(catalog: Catalog, way: Way) -> str:
    return _place(catalog, f"{way.target}_requests")


def _place(catalog: Catalog, name: str) -> str:
    return f"{database_of(catalog.database)}.{name}"
