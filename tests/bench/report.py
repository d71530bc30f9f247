"""Figures beside what the design wants and what the peers reach."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

Measured = Mapping[str, Mapping[str, float]]
"""By part (whole, receive, rotel, phoenix, kills, sdk, sdk-peers), then by figure."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `reached` is None where there is no target, or no figure."""

    name: str
    value: float
    target: str
    reached: bool | None
    rotel: float = math.nan
    rotel_ratio: float = math.nan
    phoenix: float = math.nan
    phoenix_ratio: float = math.nan


@dataclass(frozen=True, slots=True)
class Wanted:
    """A figure of ours, its bound, and the peers' figures for the same thing."""

    part: str
    figure: str
    at_least: float = math.nan
    at_most: float = math.nan
    rotel: str = ""
    rotel_ratio: float = math.nan
    phoenix: str = ""
    phoenix_ratio: float = math.nan

    def row(self, measured: Measured) -> Row:
        """The row of the table."""
        value = measured.get(self.part, {}).get(self.figure, math.nan)
        rotel = measured.get("rotel", {}).get(self.rotel, math.nan)
        phoenix = measured.get("phoenix", {}).get(self.phoenix, math.nan)
        ratios = value / rotel, value / phoenix
        bounds = (
            (value, ">=", self.at_least, ""),
            (value, "<=", self.at_most, ""),
            (ratios[0], ">=", self.rotel_ratio, "x Rotel"),
            (ratios[1], ">=", self.phoenix_ratio, "x Phoenix"),
        )
        wanted = [b for b in bounds if not math.isnan(b[2])]
        known = [b for b in wanted if not math.isnan(b[0])]
        met = [v >= bound if sign == ">=" else v <= bound for v, sign, bound, _ in known]
        reached = False if not all(met) else True if wanted and len(known) == len(wanted) else None
        target = ", ".join(f"{sign} {bound:,.6g}{unit}" for _, sign, bound, unit in wanted)
        return Row(
            f"{self.part}: {self.figure}", value, target, reached, rotel, ratios[0], phoenix, ratios[1]
        )


TABLE = (
    Wanted(
        "whole", "spans per CPU-second", at_least=45_000,
        rotel="stored spans per CPU-second", rotel_ratio=1,
        phoenix="stored spans per CPU-second", phoenix_ratio=300,
    ),
    Wanted(
        "whole", "spans per CPU-second, merges settled",
        rotel="stored spans per CPU-second, merges settled",
    ),
    Wanted("whole", "spans per second"),
    Wanted("whole", "one span a second % of a core", at_most=8),
    Wanted("whole", "idle % of a core", at_most=1),
    Wanted(
        "receive", "HTTP, 512 spans per CPU-second", at_least=150_000,
        rotel="received spans per CPU-second", rotel_ratio=2,
    ),
    Wanted("receive", "HTTP, 512 spans, gzip per CPU-second"),
    Wanted("receive", "gRPC, 512 spans per CPU-second"),
    Wanted("receive", "HTTP, 1 span per CPU-second"),
    Wanted("receive", "gRPC, 1 span per CPU-second"),
    Wanted("receive", "acknowledged p50 ms"),
    Wanted("receive", "acknowledged p99 ms", at_most=50),
    Wanted("whole", "acknowledged p50 ms"),
    Wanted("whole", "acknowledged p99 ms", at_most=50),
    Wanted("whole", "queryable p50 ms"),
    Wanted("whole", "queryable p95 ms", at_most=2000),
    Wanted("whole", "bytes per span", at_most=300, rotel="bytes per span"),
    Wanted("whole", "idle MB", at_most=400),
    Wanted("whole", "full load MB", at_most=1500),
    Wanted("whole", "first start s", at_most=3),
    Wanted("whole", "next start s", at_most=3),
    Wanted("dialects", "one dialect, spans per CPU-second", at_least=50_000),
    Wanted("dialects", "three dialects, spans per CPU-second", at_least=50_000),
    Wanted("dialects", "all dialects, spans per CPU-second", at_least=50_000),
    Wanted("dialects", "one span ms of CPU", at_most=60),
    Wanted("sdk", "step, masked: caller ratio", at_most=1.15),
    Wanted("sdk", "step, masked: export ratio"),
    Wanted("sdk", "step, masked: all ratio", at_most=0.6),
    Wanted("sdk", "llm, masked: caller ratio", at_most=1.15),
    Wanted("sdk", "llm, masked: export ratio"),
    Wanted("sdk", "llm, masked: all ratio", at_most=0.6),
    Wanted("sdk-peers", "Sightline, masked: lost, most", at_most=0),
    Wanted("kills", "kills", at_least=300),
    Wanted("kills", "acknowledged spans"),
    Wanted("kills", "stored spans"),
    Wanted("kills", "lost spans", at_most=0),
    Wanted("kills", "duplicate spans", at_most=0),
)  # fmt: skip


def rows(measured: Measured) -> list[Row]:
    """The table, without what nobody measured."""
    return [row for row in (wanted.row(measured) for wanted in TABLE) if not math.isnan(row.value)]


def as_text(table: Sequence[Row]) -> str:
    """Columns: figure, ours, target, reached, Rotel, ours to Rotel's, Phoenix, ours to Phoenix'."""
    head = ("figure", "Sightline", "target", "reached", "Rotel", "ratio", "Phoenix", "ratio")
    cells = [head, *(_cells(row) for row in table)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    left = (0, 2, 3)
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )


def as_lines(figures: Mapping[str, float]) -> str:
    """Each figure of a part on a line."""
    return "\n".join(f"  {name:<48} {number(value):>12}" for name, value in figures.items())


def as_data(table: Sequence[Row]) -> list[dict[str, object]]:
    """The rows for a file; what is unknown is null."""
    return [{key: None if value != value else value for key, value in asdict(row).items()} for row in table]


def _cells(row: Row) -> tuple[str, ...]:
    reached = {True: "yes", False: "NO", None: ""}[row.reached]
    peers = (number(row.rotel), _ratio(row.rotel_ratio), number(row.phoenix), _ratio(row.phoenix_ratio))
    return (row.name, number(row.value), row.target, reached, *peers)


def number(value: float) -> str:
    """Three figures and more; empty when unknown."""
    if math.isnan(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _ratio(value: float) -> str:
    return "" if math.isnan(value) else f"{value:,.2f}x" if value < 10 else f"{value:,.0f}x"
