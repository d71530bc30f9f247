"""A comparison as rows, and what is to be said of it in sentences. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Context, Decimal

from sightline_collector.reconcile.compare import Comparison
from sightline_collector.reconcile.explain import reasons, unexplained_usd
from sightline_collector.reconcile.line import Line, Statement
from sightline_collector.reconcile.pair import Pair, Sums

_MONEY = "Nullable(Decimal(38, 12))"
_COUNT = "Nullable(Int64)"
_COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "calls")

COLUMNS = (
    ("day", "Date"),
    ("provider", "String"),
    ("model", "String"),
    ("billed_usd", _MONEY),
    ("seen_usd", _MONEY),
    ("difference_usd", _MONEY),
    ("difference_pct", "Nullable(Float64)"),
    *((f"{side}_{name}", _COUNT) for name in _COUNTS for side in ("billed", "seen")),
    ("unexplained_usd", _MONEY),
    ("agrees", "Bool"),
    ("reasons", "Array(String)"),
    ("why", "String"),
)
"""Names and ClickHouse types of a row."""
_SHORT_USD = ("day", "model", "billed_usd", "seen_usd", "difference_usd", "difference_pct", "why")
_SHORT_TOKENS = (
    *("day", "model", "billed_input_tokens", "seen_input_tokens", "billed_output_tokens"),
    *("seen_output_tokens", "difference_pct", "why"),
)
REFUSED_SHOWN = 5
_LAST_DIGIT, _WIDE = Decimal("1e-12"), Context(prec=60)
"""A sum's digits before the point are not known: it is rounded behind it, whatever stands before."""
Row = Sequence[object]


def rows(comparison: Comparison, tolerance: Decimal) -> Iterator[Row]:
    """One row for each day and model, as COLUMNS says."""
    yield from (_row(pair, tolerance) for pair in comparison.pairs)


def short(comparison: Comparison, found: Sequence[Row]) -> tuple[list[tuple[str, str]], list[list[object]]]:
    """What a person reads of the rows in a line: amounts, or tokens where the files have no amounts."""
    named = _SHORT_USD if any(pair.in_usd for pair in comparison.pairs) else _SHORT_TOKENS
    if len({pair.provider for pair in comparison.pairs}) > 1:
        named = (named[0], "provider", *named[1:])
    order = [name for name, _ in COLUMNS]
    places = [order.index(name) for name in named]
    return [COLUMNS[place] for place in places], [[row[place] for place in places] for row in found]


def _row(pair: Pair, tolerance: Decimal) -> Row:
    billed, seen = pair.billed or Sums(), pair.seen or Sums()
    found = reasons(pair, tolerance)
    counts = [getattr(side, name) for name in _COUNTS for side in (billed, seen)]
    base = pair.amount(pair.billed)
    return [
        str(pair.day),
        pair.provider,
        pair.model,
        _stored(billed.usd),
        _stored(seen.usd),
        _stored(pair.difference) if pair.in_usd else None,
        round(float(pair.difference / base * 100), 3) if base else None,
        *counts,
        _stored(unexplained_usd(pair, tolerance)) if pair.in_usd else None,
        pair.within(tolerance),
        [reason.name for reason in found],
        "; ".join(reason.text for reason in found),
    ]


def _stored(usd: Decimal | None) -> Decimal | None:
    """To the last decimal that the store keeps: another currency's amounts have no end."""
    return usd if usd is None else usd.quantize(_LAST_DIGIT, context=_WIDE)


def as_json(found: Iterable[Row]) -> str:
    """An array of objects; money is a number with all its digits."""
    objects = (
        "{"
        + ", ".join(f"{json.dumps(name)}: {_json(v)}" for (name, _), v in zip(COLUMNS, row, strict=True))
        + "}"
        for row in found
    )
    return "[\n" + ",\n".join(objects) + "\n]\n"


def _json(value: object) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


def as_csv(found: Iterable[Row]) -> str:
    """A table with names; nothing is an empty field, lists are joined by spaces."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow([name for name, _ in COLUMNS])
    for row in found:
        writer.writerow([_cell(value) for value in row])
    return written.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(value) if isinstance(value, list) else value


def agrees(statements: Sequence[Statement], comparison: Comparison, tolerance: Decimal) -> bool:
    """Whether all of the files was read, and is within the tolerance of what was seen."""
    return not _refused(statements) and comparison.within(tolerance)


def _refused(statements: Sequence[Statement]) -> int:
    return sum(len(statement.refused) for statement in statements)


def remarks(statements: Sequence[Statement], comparison: Comparison, tolerance: Decimal) -> Iterator[str]:
    """The sums, what explains their difference, and what of the files was not compared."""
    yield from _sums(comparison, tolerance, _refused(statements))
    if comparison.shift_hours is not None:
        yield _fitting(comparison.shift_hours)
    if comparison.fees_usd:
        yield (
            f"Web searches seen, {_money(comparison.fees_usd)} USD, are left out of what was seen:"
            " the files bill them apart from the models"
        )
    for (provider, kind), tokens in sorted(comparison.left_out.items()):
        spoken = {name for s in statements if s.provider == provider for name in s.kinds}
        yield (
            f"{provider} {kind} seen, {tokens:,} tokens, are left out: the files speak of"
            f" {' and '.join(sorted(spoken))} alone; add the export of {kind}, or of costs"
        )
    yield from _overlaps(statements)
    for statement in statements:
        yield from _of_file(statement)


def _sums(comparison: Comparison, tolerance: Decimal, refused: int) -> Iterator[str]:
    billed, seen = comparison.billed, comparison.seen
    unit = "USD" if all(pair.in_usd for pair in comparison.pairs) else "tokens"
    verdict = "agrees with" if comparison.within(tolerance) else "differs from"
    what = f"without the {_lines(refused)} that could not be read, " if refused else ""
    yield (
        f"Billed {_money(billed)}, seen {_money(seen)}: {what}what is billed {verdict} what was seen"
        f" ({_money(comparison.apart)} {unit} apart, day by day and model by model)."
    )
    explained: dict[str, Decimal] = {}
    for pair in comparison.pairs:
        for reason in reasons(pair, tolerance):
            explained[reason.name] = explained.get(reason.name, Decimal(0)) + (reason.usd or 0)
    for name, usd in explained.items():
        yield f"  {name.replace('_', ' ')}: {_money(usd) if usd else 'a part that cannot be told'}"
    left = sum((unexplained_usd(pair, tolerance) for pair in comparison.pairs), Decimal(0))
    if left:
        yield f"  unexplained: {_money(left)}"


def _fitting(hours: int) -> str:
    if not hours:
        return "The files' days fit if they begin at midnight UTC: try --time-zone UTC"
    side = "after" if hours > 0 else "before"
    return (
        f"The files' days fit if they begin {abs(hours)} hours {side} midnight UTC:"
        f" try --time-zone {-hours:+d}"
    )


def _overlaps(statements: Sequence[Statement]) -> Iterator[str]:
    """Exports of two workspaces share days rightly; the same export twice does not."""
    kinds: dict[str, Callable[[Line], bool]] = {
        "amounts": lambda line: line.usd is not None,
        "tokens": lambda line: line.input_tokens is not None or line.output_tokens is not None,
    }
    for kind, has in kinds.items():
        days = Counter(
            place for s in statements for place in {(s.provider, line.day) for line in s.lines if has(line)}
        )
        for provider in sorted({provider for (provider, _), files in days.items() if files > 1}):
            yield f"Several files have {kind} of {provider} for the same days: they are added up."


def _of_file(statement: Statement) -> Iterator[str]:
    for what, (count, usd) in sorted(statement.beside.items()):
        yield f"{statement.format}: beside model usage, {what}: {_money(usd)} USD in {_lines(count)}"
    for note in statement.notes:
        yield f"{statement.format}: {note}"
    if statement.refused:
        yield f"{statement.format}: {_lines(len(statement.refused))} could not be read, so not counted"
        yield from (f"  line {number}: {why}" for number, why in statement.refused[:REFUSED_SHOWN])


def _lines(count: int) -> str:
    return f"{count:,} line{'' if count == 1 else 's'}"


def _money(value: Decimal) -> str:
    return f"{value:,.6f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"
