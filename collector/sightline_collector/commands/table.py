"""Rows as a table for a terminal, or as records (a column a line) when they do not fit. Pure.

Numbers stand right and whole, whatever the width, and so do keys: ids and names. Only long texts give way, to
TEXT_WIDTH_MIN and no further, and end in ….
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sightline_collector.commands.cells import NOTHING, column, is_number

if TYPE_CHECKING:
    from rich.console import RenderableType

TEXT_WIDTH_MIN = 24
"""A text column is not cut below this: records then show more."""
KEY = re.compile(
    r"(^|_)(id|name|title|model|provider|service|feature|operation|project|version|budget|scope|slice|reason|state"
    r"|status|type)$"
)
"""Columns that rows are told apart by: one cut short could not be asked for."""
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
    wide = [_width([name, *texts]) for (name, _), texts in zip(columns, cells, strict=True)]
    if width is None:
        return _table(columns, cells, wide)
    narrow = [
        natural if is_number(type_name) or KEY.search(name) else min(natural, TEXT_WIDTH_MIN)
        for natural, (name, type_name) in zip(wide, columns, strict=True)
    ]
    room = width - GAP * (len(columns) - 1)
    if sum(narrow) > room:
        return _records(columns, cells)
    return _table(columns, cells, _shared(narrow, wide, room))


def _width(texts: Sequence[str]) -> int:
    """Of the widest, in a terminal's cells."""
    from rich.cells import cell_len

    return max(map(cell_len, texts), default=0)


def _shared(narrow: Sequence[int], wide: Sequence[int], room: int) -> list[int]:
    """Widths between narrow and wide that fill the room: the same bound for all that must give way."""
    bound = max(wide, default=0)
    while (widths := [max(n, min(w, bound)) for n, w in zip(narrow, wide, strict=True)]) and sum(
        widths
    ) > room:
        bound -= 1
    return widths


def _table(
    columns: Sequence[tuple[str, str]], cells: Sequence[Sequence[str]], widths: Sequence[int]
) -> RenderableType:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    aligned = []
    for (name, type_name), texts, width in zip(columns, cells, widths, strict=True):
        # Moved right here: the library would take away what keeps the points under each other.
        place = width if is_number(type_name) else 0
        aligned.append([text.rjust(place) for text in texts])
        heading = _text(name.rjust(place), "bold")
        table.add_column(heading, no_wrap=True, overflow="ellipsis", width=width)
    for row in zip(*aligned, strict=True):
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
