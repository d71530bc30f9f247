"""`sightline sql`: ask a running collector in SQL."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from time import monotonic

from sightline_collector.commands.asking import Collector, NotAnswered, add_url, told
from sightline_collector.commands.cells import counted
from sightline_collector.commands.program import as_called
from sightline_collector.commands.table import WHOLE_WIDTH, draw, without_empty

TABLE_ROWS_MAX = 1_000
"""A table needs all its rows at hand; more are for --format csv."""
TABLE_FORMAT = "JSONCompactEachRowWithNamesAndTypes"
TABLE_SETTINGS = {"output_format_json_quote_decimals": "1", "output_format_json_quote_denormals": "1"}
NAMED_FORMATS = {
    "json": ("JSONEachRow", {"output_format_json_array_of_rows": "1"}),
    # The engine's own word for NULL, \N, is text to whoever reads CSV: an empty field is nothing to all.
    "csv": ("CSVWithNames", {"format_csv_null_representation": ""}),
}


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "sql",
        help="ask a running collector in SQL",
        description='Ask a running collector in SQL. The views are listed by `sightline sql "show tables"`.',
    )
    parser.add_argument("statement", help="the statement, or - to read it from standard input")
    parser.add_argument(
        "--format",
        default="table",
        metavar="FORMAT",
        help="table, json, csv, or any output format of ClickHouse's (default table)",
    )
    add_url(parser)
    parser.set_defaults(run=told(run))


def run(arguments: argparse.Namespace) -> int:
    """Ask and print. Raises NotAnswered."""
    sql = _from_standard_input() if arguments.statement == "-" else arguments.statement
    collector = Collector(arguments.url)
    if arguments.format == "table":
        show(collector, sql)
        return 0
    format_name, settings = NAMED_FORMATS.get(arguments.format, (arguments.format, {}))
    with _known(arguments.format), collector.statement(sql, format_name, settings) as pieces:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
    return 0


def _from_standard_input() -> str:
    try:
        sql = sys.stdin.read()
        sql.encode()  # some locales read any bytes
    except UnicodeError:
        raise NotAnswered("the statement is not UTF-8", "write other bytes as unhex('…')") from None
    return sql


@contextmanager
def _known(format_name: str) -> Iterator[None]:
    """Says which formats there are when the collector knows none of that name."""
    try:
        yield
    except NotAnswered as e:
        if "(UNKNOWN_FORMAT)" not in e.message or format_name not in e.message:
            raise
        close = get_close_matches(format_name.lower(), ("table", *NAMED_FORMATS), n=1)
        hint = "there are table, json, csv, and every output format of ClickHouse's, such as JSONEachRow"
        meant = f"did you mean {close[0]}? " if close else ""
        raise NotAnswered(f"there is no format {format_name!r}", meant + hint) from None


def show(
    collector: Collector,
    sql: str,
    parameters: dict[str, str] | None = None,
    *,
    nothing: str | None = None,
    narrower: str = "there are more",
) -> None:
    """Print the answer as a table, with its row count and time.

    `nothing` marks a statement of our own: it is said instead of an empty table (unless it is ""), and
    columns that are empty in every row are left out. `narrower` says how to see the rest of what such a one
    gives. Raises NotAnswered.
    """
    began = monotonic()
    settings = TABLE_SETTINGS | {f"param_{name}": value for name, value in (parameters or {}).items()}
    with collector.statement(sql, TABLE_FORMAT, settings) as pieces:
        lines = _lines(pieces)
        first = next(lines, b"")
        if not first.startswith(b"["):
            # The statement names a format of its own: that is what was asked for.
            _pass_on(first, lines)
            return
        names, types = json.loads(first), json.loads(next(lines))
        rows = [json.loads(line) for line, _ in zip(lines, range(TABLE_ROWS_MAX), strict=False)]
        more = len(rows) == TABLE_ROWS_MAX and next(lines, None) is not None
    if nothing and not rows:
        print(as_called(nothing))
        return
    rest = "all with --format csv" if nothing is None else narrower
    footer = _footer(len(rows), rest if more else "", monotonic() - began)
    columns = list(zip(names, types, strict=True))
    if nothing is not None:
        columns, rows = without_empty(columns, rows)
    put_out(columns, rows, footer)


def put_out(columns: list[tuple[str, str]], rows: list[list[object]], footer: str) -> None:
    """Print a table: with colours and cut to the width on a terminal, plain and whole into a pipe."""
    from rich.console import Console

    if sys.stdout.isatty():
        console = Console(highlight=False)
        if rows:
            console.print(draw(columns, rows, console.width))
        console.print(footer, style="dim")
        return
    plain = Console(highlight=False, width=WHOLE_WIDTH, color_system=None)
    with plain.capture() as drawn:
        if rows:
            plain.print(draw(columns, rows, None))
    for line in drawn.get().splitlines():
        print(line.rstrip())
    print(footer)


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    for piece in pieces:
        *whole, held = (held + piece).split(b"\n")
        yield from whole
    if held:
        yield held


def _pass_on(first: bytes, lines: Iterator[bytes]) -> None:
    sys.stdout.buffer.write(first + b"\n")
    for line in lines:
        sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def _footer(count: int, rest: str, elapsed_s: float) -> str:
    rows = counted(count, "row")
    time = f"{elapsed_s * 1000:,.0f} ms" if elapsed_s < 10 else f"{elapsed_s:.1f} s"
    return f"the first {rows}, {rest} · {time}" if rest else f"{rows} · {time}"
