"""`sightline schema`: the statements that make a store, for one server or for a cluster."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from sightline_collector.errors import BadConfiguration
from sightline_collector.sql.catalog import Catalog
from sightline_collector.sql.cluster import clustered
from sightline_collector.store.url import DEFAULT_DATABASE, checked_name


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "schema",
        help="print the statements that make a store, for one server or a cluster",
        description="A collector makes its store itself when it starts. This prints what it says, for those"
        " who read it first: tables, functions, dictionaries, views, in the order in which they are made.",
    )
    parser.add_argument("--cluster", default="", type=_name, help="for this cluster of servers")
    parser.add_argument("--database", default=DEFAULT_DATABASE, type=_name, help=DEFAULT_DATABASE)
    parser.set_defaults(run=run)


def _name(text: str) -> str:
    try:
        return checked_name("given", text)
    except BadConfiguration as e:
        raise argparse.ArgumentTypeError(e.message) from None


def run(arguments: argparse.Namespace) -> int:
    """Print all of them, each with a semicolon."""
    for statement in statements(arguments.database, arguments.cluster):
        print(f"{statement};\n")
    return 0


def statements(database: str, cluster: str = "") -> Iterator[str]:
    """What makes a store, in order; it is asked with the database as the current one."""
    catalog = Catalog(database)
    bodies = [relation.body for relation in (*catalog.relations("tables"), *catalog.derived)]
    for body in (f"create database if not exists {database}", *bodies):
        yield from clustered(body, cluster, database) if cluster else (body,)
