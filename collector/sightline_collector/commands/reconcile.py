"""`sightline reconcile`: what a provider bills beside what was seen here."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sightline_collector.commands.asking import Collector, NotAnswered, add_url, told
from sightline_collector.commands.cells import visible
from sightline_collector.commands.sql import put_out
from sightline_collector.commands.table import without_empty
from sightline_collector.reconcile.compare import Comparison, compare
from sightline_collector.reconcile.formats import FORMATS, statements
from sightline_collector.reconcile.line import Rates, Statement, Unreadable
from sightline_collector.reconcile.pair import Hour
from sightline_collector.reconcile.report import agrees, as_csv, as_json, remarks, rows, short
from sightline_collector.reconcile.seen import FEES, HOURS, SETTINGS, fees, hours

_WHAT = """\
Set a provider's usage or cost export against the calls seen here, by day and
model, and say what explains the gaps. Exit status 0 when they agree, 1 when
they do not, or lines could not be read. Understood are these exports, packed as .gz or .zip too."""
APART = 1
"""The exit status of sums that differ by more than the tolerance, or lack lines that were not read."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "reconcile",
        help="set what a provider bills against what was seen here",
        description=_WHAT,
        epilog="\n".join(known.how for known in FORMATS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", nargs="+", help="exports of the same days: of usage, of cost, or both")
    parser.add_argument("--format", default="table", choices=("table", "json", "csv"), help="(default table)")
    parser.add_argument(
        "--tolerance", type=_share, default=Decimal("0.01"), metavar="PERCENT", help="(default 1 %%)"
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        action="append",
        default=[],
        metavar="EUR=1.08",
        help="USD for one unit of another currency (may be repeated)",
    )
    parser.add_argument(
        "--time-zone",
        type=_zone,
        default=UTC,
        metavar="ZONE",
        help="where the file's days begin (default UTC)",
    )
    parser.add_argument("--project", default="", help="only what was seen of one project")
    add_url(parser)
    parser.set_defaults(run=told(run))


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison; 1 when it is beyond the tolerance, or not whole. Raises NotAnswered."""
    try:
        read = list(_read(arguments.file, Rates(dict(arguments.rate))))
        seen = _seen(Collector(arguments.url), read, arguments.project)
        compared = compare(read, seen, arguments.time_zone)
    except Unreadable as e:
        raise NotAnswered(e.message, e.hint) from None
    _print(arguments.format, compared, arguments.tolerance)
    said = list(remarks(read, compared, arguments.tolerance))
    print("\n".join(map(visible, said)), file=sys.stdout if arguments.format == "table" else sys.stderr)
    return 0 if agrees(read, compared, arguments.tolerance) else APART


def _read(files: Sequence[str], rates: Rates) -> Iterator[Statement]:
    for name in files:
        try:
            data = Path(name).read_bytes()
        except OSError as e:
            raise Unreadable(f"{name} cannot be read ({e.strerror})", "name a provider's export") from None
        try:
            yield from statements(data, rates)
        except Unreadable as e:
            raise Unreadable(f"{name}: {e.message}", e.hint) from None


def _seen(collector: Collector, read: Sequence[Statement], project: str) -> list[Hour]:
    """The hours of the files' days, and a day before and after for where other time zones begin."""
    days = [day for statement in read for day in statement.days]
    if not days:
        return []
    asked = {
        "since": str(min(days) - timedelta(days=1)),
        "until": str(max(days) + timedelta(days=2)),
        "project": project,
    }
    settings = SETTINGS | {f"param_{name}": value for name, value in asked.items()}

    def answer(question: str) -> bytes:
        with collector.statement(question, "JSONEachRow", settings) as pieces:
            return b"".join(pieces)

    in_usd = any(line.usd is not None for statement in read for line in statement.lines)
    return [*hours(answer(HOURS)), *(fees(answer(FEES)) if in_usd else ())]


def _print(format_name: str, compared: Comparison, tolerance: Decimal) -> None:
    found = list(rows(compared, tolerance))
    if format_name != "table":
        sys.stdout.write((as_json if format_name == "json" else as_csv)(found))
        return
    columns, shown = without_empty(*short(compared, found))
    put_out(columns, shown, "")


def _share(text: str) -> Decimal:
    """A percentage as a share. Raises what argparse turns into its error."""
    share = _number(text.removesuffix("%")) / 100
    if not 0 <= share < 1:
        raise argparse.ArgumentTypeError(f"must be from 0 to 100, and is {text}")
    return share


def _rate(text: str) -> tuple[str, Decimal]:
    code, _, rate = text.partition("=")
    if len(code.strip()) != 3 or not rate or _number(rate) <= 0:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no rate: write a currency and its USD, such as EUR=1.08"
        )
    return code.strip().upper(), _number(rate)


_DIGITS_MAX = 15
"""Before or behind the point, for what is reckoned with it to keep its digits."""


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or (number and abs(number.adjusted()) > _DIGITS_MAX):
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return number


def _zone(text: str) -> tzinfo:
    """A name such as America/Los_Angeles, or hours from UTC such as -8."""
    try:
        return timezone(timedelta(hours=float(text.upper().removeprefix("UTC"))))
    except (ValueError, OverflowError):
        pass
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time zone: write one as America/Los_Angeles, or hours from UTC as -8"
        ) from None
