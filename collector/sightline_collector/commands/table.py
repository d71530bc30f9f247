"""Rows as a table for a terminal, or as records when they have more columns than fit. Pure.

Numbers stand right and whole, whatever the width; text gives way and ends in ….
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sightline_collector.commands.cells import NOTHING, column, is_number

if TYPE_CHECKING:
    from rich.console import RenderableType

TEXT_WIDTH_MIN = 8
"""A text column is not cut below this: records then show more."""
GAP = 2
"""Between columns."""
WHOLE_WIDTH = 10_000
"""Of a pipe: nothing is cut there."""


def draw(
    columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]], width: int | None
) -> RenderableType:
    """The rows, drawn for a width in characters (None: as wide as they are).

    `columns` are names with ClickHouse types, values what JSON or a client made of them.
    """
    cells = [
        column(name, type_name, [row[index] for row in rows])
        for index, (name, type_name) in enumerate(columns)
    ]
    if width is not None and _narrowest(columns, cells) > width:
        return _records(columns, cells)
    return _table(columns, cells)


def _narrowest(columns: Sequence[tuple[str, str]], cells: Sequence[Sequence[str]]) -> int:
    """How wide the table is when its text columns have given way."""
    from rich.cells import cell_len

    widths = []
    for (name, type_name), texts in zip(columns, cells, strict=True):
        natural = max((cell_len(text) for text in [name, *texts]), default=0)
        widths.append(natural if is_number(type_name) else min(natural, TEXT_WIDTH_MIN))
    return sum(widths) + GAP * max(0, len(widths) - 1)


def _table(columns: Sequence[tuple[str, str]], cells: Sequence[Sequence[str]]) -> RenderableType:
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP, 0, 0))
    for (name, type_name), texts in zip(columns, cells, strict=True):
        number = is_number(type_name)
        natural = max((cell_len(text) for text in [name, *texts]), default=0)
        table.add_column(
            _text(name, "bold"),
            justify="right" if number else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=natural if number else min(natural, TEXT_WIDTH_MIN),
        )
    for row in zip(*cells, strict=True):
        table.add_row(*(_text(text, "dim" if text.strip() == NOTHING else "") for text in row))
    return table


def _records(columns: Sequence[tuple[str, str]], cells: Sequence[Sequence[str]]) -> RenderableType:
    from rich.console import Group
    from rich.table import Table

    records: list[RenderableType] = []
    for number, row in enumerate(zip(*cells, strict=True), start=1):
        record = Table.grid(padding=(0, GAP, 0, 0))
        record.add_column(no_wrap=True)
        record.add_column(overflow="fold")
        for (name, _), text in zip(columns, row, strict=True):
            record.add_row(_text(name, "bold"), _text(text.strip(), "dim" if text.strip() == NOTHING else ""))
        records += [_text(f"row {number}", "dim"), record]
    return Group(*records)


def _text(text: str, style: str) -> RenderableType:
    """Text as it is: no markup of rich's is read in it."""
    from rich.text import Text

    return Text(text, style=style)
