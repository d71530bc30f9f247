"""The figures of all SDKs side by side, each also as a ratio to OpenTelemetry by hand in the same run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tests.bench.report import number
from tests.bench.sdk_peers import BURST, BY_HAND, MOST, SYSTEMS

CPU = ("caller us", "all us", "init s", "first s")
MEMORY = ("start MB", "warm MB", "peak MB")


def as_text(figures: Mapping[str, float]) -> str:
    """Two tables: CPU, then memory and the burst."""
    cpu = [("", *_heads(CPU)), *((system.name, *_cells(system.name, CPU, figures)) for system in SYSTEMS)]
    rest = [
        ("", *_heads(MEMORY), "emit s", f"lost of {BURST:,}", "", "at most"),
        *(
            (system.name, *_cells(system.name, MEMORY, figures), *_burst(system.name, figures))
            for system in SYSTEMS
        ),
    ]
    return f"{_aligned(cpu)}\n\n{_aligned(rest)}"


def _heads(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(cell for name in names for cell in (name, "ratio"))


def _cells(system: str, names: Sequence[str], figures: Mapping[str, float]) -> tuple[str, ...]:
    """Each figure and its ratio; the first cell says so when there is none."""
    if f"{system}: {names[0]}" not in figures:
        return ("not run", *[""] * (2 * len(names) - 1))
    cells: list[str] = []
    for name in names:
        value = figures[f"{system}: {name}"]
        by_hand = figures.get(f"{BY_HAND}: {name}", math.nan)
        cells += [number(value), "" if math.isnan(by_hand) else f"{value / by_hand:.2f}x"]
    return tuple(cells)


def _burst(system: str, figures: Mapping[str, float]) -> tuple[str, ...]:
    emit_s, lost, most = (
        figures.get(f"{system}: {name}", math.nan) for name in ("emit s", "lost", f"lost{MOST}")
    )
    share = "" if math.isnan(lost) else f"{lost / BURST:.1%}"
    return (number(emit_s), number(lost), share, number(most))


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
