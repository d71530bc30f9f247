"""Rows drawn for a width."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from sightline_collector.commands.table import CELL_WIDTH_MAX, FOLDED_LINES_MAX, draw, without_empty

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


def test_the_last_text_goes_on_in_further_lines() -> None:
    """What is said of a row is not cut; a text before it is, and ids, names and numbers stay whole."""
    columns = [*COLUMNS, ("trace_id", "String"), ("input", "String"), ("next_step", "String")]
    said = "set the price in prices.toml, or ask what the call had been sent to"
    rows = [[*row, "0af7651916cd43dd8448eb211c80319c", "a long question " * 9, said] for row in ROWS]
    lines = drawn(columns, rows, 150)
    assert max(cell_len(line) for line in lines) <= 150
    first = lines[2 : (len(lines) - 2) // 2 + 2]
    assert first[0].startswith(
        "gpt-4o-mini                           12,345      1.50  0af7651916cd43dd8448eb2"
    )
    assert "…" in first[0]
    assert " ".join([first[0].split("…")[1], *first[1:]]).split() == said.split()


def test_a_text_has_a_bound_in_lines() -> None:
    """An answer of a thousand words is cut and ends in …, so that rows stay in sight of each other."""
    lines = drawn([("calls", "UInt8"), ("output", "String")], [[1, "word " * 1000], [2, "short"]], 60)
    assert len(lines) <= 2 + FOLDED_LINES_MAX + 2
    assert lines[-2].endswith("…")


def test_names_of_columns_fold_after_underscores() -> None:
    """Numbers under long names do not make a table too wide."""
    columns = [("model", "String"), ("cache_read_tokens", "UInt64"), ("unpriced_calls", "UInt64")]
    assert drawn(columns, [["gpt-4o-mini", 12345, 7]], 39) == [
        "              cache_read_     unpriced_",
        "model              tokens         calls",
        "───────────────────────────────────────",
        "gpt-4o-mini        12,345             7",
    ]


def test_keys_go_on_in_further_lines_when_nothing_else_gives() -> None:
    """A key is never cut, for one cut short could not be asked for."""
    assert drawn(COLUMNS, ROWS, 40) == [
        "model                    calls  cost_usd",
        "────────────────────────────────────────",
        "gpt-4o-mini             12,345      1.50",
        "a-model-with-a-very-lo       7      –",
        "ng-name-indeed",
    ]


def test_an_id_is_never_broken() -> None:
    """An id that does not fit in a line makes records: it is there to be copied."""
    columns = [("trace_id", "String"), ("calls", "UInt64")]
    assert drawn(columns, [["0af7651916cd43dd8448eb211c80319c", 7]], 38)[0] == "row 1"


def test_one_text_alone_keeps_its_lines() -> None:
    """A statement is printed as it is, without a heading; what could move the cursor is shown."""
    assert drawn([("statement", "String")], [["create view a as\nselect 1\x1b"]], None) == [
        "create view a as",
        "select 1␛",
    ]
    assert drawn([("statement", "String")], [["one line"]], None)[0] == "statement"


def test_columns_that_say_nothing_can_be_left_out() -> None:
    """NULL, empty texts and empty lists in every row; zero says something."""
    columns = [(name, "String") for name in "abcde"]
    rows: list[list[object]] = [["x", None, "", [], 0], ["y", None, "z", [], 0]]
    assert without_empty(columns, rows) == (
        [(name, "String") for name in "ace"],
        [["x", "", 0], ["y", "z", 0]],
    )


def test_what_does_not_fit_becomes_records() -> None:
    """More columns than the width takes: one record a row, nothing lost."""
    columns = [(f"number_{n}", "UInt64") for n in range(20)]
    lines = drawn(columns, [list(range(20)), list(range(20))], 60)
    assert lines[0] == "row 1"
    assert lines[1].split() == ["number_0", "0"]
    assert lines.count("row 2") == 1
    assert len(lines) == 42


def test_without_a_width_nothing_is_cut() -> None:
    """Into a pipe goes everything of a text that stands alone."""
    lines = drawn([("text", "String")], [["x" * 500]], None)
    assert lines[2] == "x" * 500


def test_a_text_beside_others_is_cut_in_a_pipe() -> None:
    """No row is made as wide as the longest prompt; what rows are told apart by stays whole."""
    columns = [("trace_id", "String"), ("input", "String")]
    lines = drawn(columns, [["i" * 300, "x" * 500]], None)
    assert lines[2] == f"{'i' * 300}  {'x' * (CELL_WIDTH_MAX - 1)}…"


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
    """Whatever text there is, each row is a line or more below names and rule, or a record."""
    lines = drawn([("a", "String"), ("b", "String"), ("c", "String")], rows, width)
    assert len(lines) >= len(rows) + 2
