"""Rows drawn for a width."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from sightline_collector.commands.table import draw

COLUMNS = [("model", "String"), ("calls", "UInt64"), ("cost_usd", "Decimal(18, 12)")]
ROWS = [["gpt-4o-mini", 12345, "1.5"], ["a-model-with-a-very-long-name-indeed", 7, None]]


def drawn(
    columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]], width: int | None
) -> list[str]:
    """The lines as they are printed."""
    console = Console(width=width or 10_000, color_system=None, force_terminal=False)
    with console.capture() as text:
        console.print(draw(columns, rows, width))
    return [line.rstrip() for line in text.get().splitlines()]


def test_a_table_has_names_a_line_and_rows() -> None:
    """Text left, numbers right with their points in line, NULL as a dash."""
    assert drawn(COLUMNS, ROWS, 80) == [
        "model                                  calls  cost_usd",
        "──────────────────────────────────────────────────────",
        "gpt-4o-mini                           12,345      1.50",
        "a-model-with-a-very-long-name-indeed       7      –",
    ]


def test_text_gives_way_and_keys_and_numbers_do_not() -> None:
    """Cut to the width, text ends in …; ids, names and numbers stay whole."""
    columns = [*COLUMNS, ("trace_id", "String"), ("output", "String")]
    rows = [[*row, "0af7651916cd43dd8448eb211c80319c", "a long answer " * 9] for row in ROWS]
    lines = drawn(columns, rows, 120)
    assert max(cell_len(line) for line in lines) <= 120
    for row, line in zip(rows, lines[2:], strict=True):
        assert str(row[0]) in line
        assert str(row[3]) in line
        assert line.endswith("…")
    assert "12,345" in lines[2]


def test_keys_that_do_not_fit_make_records() -> None:
    """Where a key would have to be cut, each row stands vertically, a column a line, and nothing is cut."""
    assert drawn(COLUMNS, ROWS, 40) == [
        "row 1",
        "model     gpt-4o-mini",
        "calls     12,345",
        "cost_usd  1.50",
        "row 2",
        "model     a-model-with-a-very-long-name-",
        "          indeed",
        "calls     7",
        "cost_usd  –",
    ]


def test_what_does_not_fit_becomes_records() -> None:
    """More columns than the width takes: one record a row, nothing lost."""
    columns = [(f"number_{n}", "UInt64") for n in range(20)]
    lines = drawn(columns, [list(range(20)), list(range(20))], 60)
    assert lines[0] == "row 1"
    assert lines[1].split() == ["number_0", "0"]
    assert lines.count("row 2") == 1
    assert len(lines) == 42


def test_without_a_width_nothing_is_cut() -> None:
    """Into a pipe goes everything."""
    lines = drawn([("text", "String")], [["x" * 500]], None)
    assert lines[2] == "x" * 500


def test_markup_is_text() -> None:
    """Brackets of a prompt are no instructions to the drawing."""
    assert drawn([("text", "String")], [["[red]x[/red] [link=file:///]y"]], 80)[2] == (
        "[red]x[/red] [link=file:///]y"
    )


@given(
    st.lists(st.lists(st.text(max_size=40), min_size=3, max_size=3), min_size=1, max_size=5),
    st.integers(30, 120),
)
def test_no_row_is_ever_lost(rows: list[list[str]], width: int) -> None:
    """Whatever text there is, each row is one line below names and rule, or a record."""
    lines = drawn([("a", "String"), ("b", "String"), ("c", "String")], rows, width)
    assert len(lines) >= len(rows) + 2
