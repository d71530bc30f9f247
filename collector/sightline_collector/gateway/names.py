"""What a reader may name: the views, a few system tables, and functions that compute and touch nothing.

Functions come from the engine's own list, kind by kind, so that a new version's new kinds stay shut until
someone has looked at them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from time import monotonic

from sightline_collector.gateway.readable import READABLE
from sightline_collector.sql.catalog import Catalog
from sightline_collector.store.reads import Reads

SYSTEM = "system"

_FUNCTIONS = """
select lower(f.name), if(f.alias_to = '', f.name, f.alias_to),
    multiIf(f.origin = 'SQLUserDefined', 'user', f.origin != 'System', 'foreign',
        f.is_aggregate, 'aggregate', if(f.alias_to = '', f.categories, a.categories))
from system.functions as f left join system.functions as a on a.name = f.alias_to
"""

_COLUMNS = """
select table, arrayStringConcat(groupArray(name), ',') from system.columns
where database = {database:String} group by table
"""

FRESH_S = 5.0
"""How long the list of relations is believed: they change with migrations only."""


@dataclass(frozen=True, slots=True)
class Functions:
    """All functions of an engine, lower case: open to readers, and shut."""

    open: frozenset[str]
    shut: frozenset[str]
    aggregate: frozenset[str]


class Names:
    """The names of one store."""

    def __init__(self, reads: Reads, database: str) -> None:
        self._reads = reads
        self.database = database
        self.views = frozenset(v.name for v in Catalog(database).relations("views"))
        self._lock = Lock()
        self._relations: frozenset[tuple[str, str]] = frozenset()
        self._until = 0.0
        self._columns: dict[str, frozenset[str]] = {}
        self._columns_of: frozenset[tuple[str, str]] | None = None

    @cached_property
    def functions(self) -> Functions:
        """The engine's functions, sorted once."""
        lines = [line.split("\t") for line in self._reads.text(_FUNCTIONS).split("\n")]
        kinds = {name: (real.lower(), kind) for name, real, kind in lines}
        opened = {
            n
            for n, (real, kind) in kinds.items()
            if _is_open(n, kind) and real not in READABLE.shut_functions
        }
        aggregate = {n for n, (_, kind) in kinds.items() if kind == "aggregate"}
        return Functions(
            frozenset(opened | READABLE.syntax_functions),
            frozenset(kinds.keys() - opened - READABLE.syntax_functions),
            frozenset(aggregate),
        )

    @cached_property
    def combinators(self) -> tuple[str, ...]:
        """What may follow an aggregate function's name, such as If."""
        listed = self._reads.text("select lower(name) from system.aggregate_function_combinators")
        return tuple(listed.split("\n"))

    @cached_property
    def timezone(self) -> str:
        """The store's own time zone."""
        return self._reads.text("select timezone()")

    def relations(self) -> frozenset[tuple[str, str]]:
        """Every (database, relation) of the store."""
        with self._lock:
            if monotonic() >= self._until:
                listed = self._reads.text("select database, name from system.tables")
                pairs = (line.partition("\t") for line in listed.split("\n"))
                self._relations = frozenset((database, name) for database, _, name in pairs)
                self._until = monotonic() + FRESH_S
            return self._relations

    def columns(self) -> dict[str, frozenset[str]]:
        """The columns of each view, asked again when the relations are."""
        if self._columns_of is not self.relations():
            listed = self._reads.text(_COLUMNS, {"database": self.database})
            lines = (line.split("\t") for line in listed.split("\n"))
            self._columns = {view: frozenset(names.split(",")) for view, names in lines if view in self.views}
            self._columns_of = self._relations
        return self._columns

    def is_open(self, function: str) -> bool:
        """True when a reader may call the function: open itself, or an aggregate with combinators."""
        name = function.lower()
        if name in self.functions.open:
            return True
        if name in self.functions.shut:
            return False
        return any(self._is_aggregate(name.removesuffix(c)) for c in self.combinators if name.endswith(c))

    def _is_aggregate(self, name: str) -> bool:
        if name in self.functions.aggregate:
            return True
        return any(self._is_aggregate(name.removesuffix(c)) for c in self.combinators if name.endswith(c))


def _is_open(name: str, kind: str) -> bool:
    if kind == "user":
        return name.startswith("sightline_") and name not in READABLE.shut_functions
    return name not in READABLE.shut_functions and (
        kind == "aggregate" or kind in READABLE.function_categories
    )
