"""Rows as a table for a terminal, or as records (a column a line) when they do not fit. Pure.

Where the width is short, names of columns fold after their underscores and the last text goes on in further
lines; then keys (ids excepted) do. Other texts are cut, to TEXT_WIDTH_MIN and no further, and end in ….
Numbers, times and ids stay whole, whatever the width.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from sightline_collector.commands.cells import NOTHING, column, is_number, is_time, visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

Columns = Sequence[tuple[str, str]]
"""Names with ClickHouse types."""

TEXT_WIDTH_MIN = 24
"""A text column is not cut below this: records then show more."""
FOLDED_WIDTH_MIN = 12
"""What goes on in further lines is not made narrower than this: most words fit."""
FOLDED_LINES_MAX = 8
"""Of one cell, about: an answer of a thousand words is cut, so that rows stay in sight of each other."""
KEY = re.compile(
    r"(^|_)(id|name|model|provider|service|feature|operation|project|version|budget|scope|slice|reason|state"
    r"|status|type)$"
)
"""Columns that rows are told apart by: one cut short could not be asked for."""
ID = re.compile(r"(^|_)id$")
GAP = 2
"""Between columns."""
WHOLE_WIDTH = 10_000
"""Of a pipe: as many columns as there are stand beside each other."""
CELL_WIDTH_MAX = 200
"""Of a text in a pipe's table, where each row is as wide as the widest: other formats have all of it."""


def draw(columns: Columns, rows: Sequence[Sequence[object]], width: int | None) -> RenderableType:
    """The rows, drawn for a width in characters (None: as wide as they are, texts up to CELL_WIDTH_MAX).

    Values are what JSON or a client made of them. One text alone that has lines, such as a statement, keeps
    them.
    """
    if len(rows) == 1 and len(columns) == 1 and "\n" in str(rows[0][0]):
        return _text("\n".join(map(visible, str(rows[0][0]).split("\n"))), "")
    cells = [
        column(name, type_name, [row[index] for row in rows])
        for index, (name, type_name) in enumerate(columns)
    ]
    if width is None and len(columns) > 1:
        cells = [
            [_cut(text) for text in texts] if _is_text(*one) else texts
            for one, texts in zip(columns, cells, strict=True)
        ]
    wide = [_width([name, *texts]) for (name, _), texts in zip(columns, cells, strict=True)]
    widths = wide if width is None else _fitted(columns, cells, wide, width - GAP * (len(columns) - 1))
    return _table(columns, cells, widths) if widths else _records(columns, cells)


def _cut(text: str) -> str:
    return text if len(text) <= CELL_WIDTH_MAX else text[: CELL_WIDTH_MAX - 1] + "…"


def without_empty(
    columns: Columns, rows: Sequence[Sequence[object]]
) -> tuple[list[tuple[str, str]], list[list[object]]]:
    """The columns that say something in any row, and the rows with these alone."""
    kept = [index for index in range(len(columns)) if any(row[index] not in (None, "", []) for row in rows)]
    return [columns[index] for index in kept], [[row[index] for index in kept] for row in rows]


def _width(texts: Sequence[str]) -> int:
    """Of the widest, in a terminal's cells."""
    from rich.cells import cell_len

    return max(map(cell_len, texts), default=0)


def _fitted(
    columns: Columns, cells: Sequence[Sequence[str]], wide: Sequence[int], room: int
) -> list[int] | None:
    """Widths that fill the room, with keys whole where it takes them so; None when nothing fits."""
    for keys_whole in (True, False):
        narrow = [
            max(_least(columns, index, _width(texts), keys_whole), _width(_parts(columns[index][0])))
            for index, texts in enumerate(cells)
        ]
        narrow = [min(n, w) for n, w in zip(narrow, wide, strict=True)]
        if sum(narrow) <= room:
            return _shared(narrow, wide, room)
    return None


def _least(columns: Columns, index: int, natural: int, keys_whole: bool) -> int:
    """How narrow a column's cells may be made, whose widest is `natural`."""
    name, type_name = columns[index]
    if index == _last_text(columns) or (KEY.search(name) and not keys_whole and not ID.search(name)):
        return min(natural, FOLDED_WIDTH_MIN)
    return min(natural, TEXT_WIDTH_MIN) if _is_text(name, type_name) else natural


def _is_text(name: str, type_name: str) -> bool:
    return not (is_number(type_name) or is_time(type_name) or KEY.search(name))


def _last_text(columns: Columns) -> int | None:
    """The column whose cells go on in further lines: what is said of a row stands at its end."""
    return max((n for n, (name, type_name) in enumerate(columns) if _is_text(name, type_name)), default=None)


def _shared(narrow: Sequence[int], wide: Sequence[int], room: int) -> list[int]:
    """Widths between narrow and wide that fill the room: the same bound for all that must give way."""
    bound = max(wide, default=0)
    while (widths := [max(n, min(w, bound)) for n, w in zip(narrow, wide, strict=True)]) and sum(
        widths
    ) > room:
        bound -= 1
    return widths


def _table(columns: Columns, cells: Sequence[Sequence[str]], widths: Sequence[int]) -> RenderableType:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    headings = [_folded(name, width) for (name, _), width in zip(columns, widths, strict=True)]
    deepest = max(map(len, headings), default=0)
    aligned = []
    for index, (heading, texts, width) in enumerate(zip(headings, cells, widths, strict=True)):
        name, type_name = columns[index]
        # Moved right here: the library would take away what keeps the points under each other.
        place = width if is_number(type_name) else 0
        aligned.append([_bounded(text.rjust(place), width) for text in texts])
        lines = [""] * (deepest - len(heading)) + [line.rjust(place) for line in heading]
        cut = _is_text(name, type_name) and index != _last_text(columns)
        overflow: Literal["ellipsis", "fold"] = "ellipsis" if cut else "fold"
        table.add_column(_text("\n".join(lines), "bold"), no_wrap=cut, overflow=overflow, width=width)
    for row in zip(*aligned, strict=True):
        table.add_row(*row)
    return table


def _folded(name: str, width: int) -> list[str]:
    """A column's name in lines of that width, which end after an underscore where they can."""
    lines = [""]
    for part in _parts(name):
        if lines[-1] and len(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return lines


def _parts(name: str) -> list[str]:
    return re.findall(r"[^_]*_+|[^_]+$", name)


def _bounded(text: str, width: int) -> Text:
    """A cell of at most FOLDED_LINES_MAX lines, but for the ends of words."""
    shown = _text(text, "dim" if text.strip() == NOTHING else "")
    shown.truncate(width * FOLDED_LINES_MAX, overflow="ellipsis")
    return shown


def _records(columns: Columns, cells: Sequence[Sequence[str]]) -> RenderableType:
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


def _text(text: str, style: str) -> Text:
    """Text as it is: no markup of rich's is read in it."""
    from rich.text import Text

    return Text(text, style=style)
