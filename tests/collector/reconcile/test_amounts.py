"""How numbers are written in a file, and which are refused rather than read as others."""

from __future__ import annotations

from decimal import Decimal

import pytest
from collector.reconcile.exports import read_text

ONE_COST = "start_time,amount_value,amount_currency,line_item\n2026-09-01,{},usd,gpt-4o\n"


@pytest.mark.parametrize(
    ("written", "usd"),
    [
        ('"1,234.50"', "1234.5"), ("-$5.00", "-5"), ("($5.00)", "-5"), ("\N{MINUS SIGN}5", "-5"),
        ("$1e-7", "0.0000001"), ("0E-6176", "0"),
    ],
)  # fmt: skip
def test_an_amount_as_bookkeepers_write_it(written: str, usd: str) -> None:
    """What is given back is negative, in brackets or behind a minus; commas group digits."""
    statement = read_text(ONE_COST.format(written))
    assert [line.usd for line in statement.lines] == [Decimal(usd)]


@pytest.mark.parametrize(("written", "usd"), [("0,125", "0.125"), ("1.234,56", "1234.56"), ("3.25", "3.25")])
def test_where_semicolons_part_columns_commas_part_decimals(written: str, usd: str) -> None:
    """So spreadsheets write tables where a comma is the decimal point."""
    statement = read_text(ONE_COST.replace(",", ";").format(written))
    assert [line.usd for line in statement.lines] == [Decimal(usd)]


def test_a_comma_that_cannot_group_digits_is_refused() -> None:
    """An eighth of a dollar is never read as 125."""
    statement = read_text(ONE_COST.format('"0,125"'))
    assert statement.lines == []
    assert "write it with a point before its decimals" in statement.refused[0][1]


def test_tokens_are_whole() -> None:
    """Where a point sets thousands apart a count would be a thousandth of itself: it is refused."""
    table = "start_time,num_model_requests,model,input_tokens\n1788220800,5,gpt-4o,12.345\n"
    statement = read_text(table)
    assert "they are whole" in statement.refused[0][1]
