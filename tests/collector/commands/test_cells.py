"""One value as a person reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline_collector.commands.cells import cell, column, is_number, plain_type


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0", "0"),
        ("0.000000000000", "0"),
        ("50", "50.00"),
        ("0.1", "0.10"),
        ("12.345678912", "12.345679"),
        ("1234567.5", "1,234,567.50"),
        ("0.012345678", "0.012346"),
        ("0.000123456789", "0.000123457"),
        ("0.000000000001", "0.000000000001"),
        ("-3.5", "-3.50"),
        (Decimal("0.0001"), "0.0001"),
        (None, "–"),
    ],
)
def test_money_has_six_decimals_and_no_noise(value: object, shown: str) -> None:
    """Six decimals, six significant ones of what is smaller, no zeros at the end beyond cents."""
    assert cell("cost_usd", "Nullable(Decimal(38, 12))", value) == shown


@pytest.mark.parametrize(
    ("name", "type_name", "value", "shown"),
    [
        ("calls", "UInt64", 1234567, "1,234,567"),
        ("calls", "UInt64", "18446744073709551615", "18,446,744,073,709,551,615"),
        ("year", "UInt16", 2026, "2026"),
        ("span_id", "UInt64", 1234567, "1234567"),
        ("p95_ms", "Float64", 1234.5678, "1,235"),
        ("p95_ms", "Float64", 12.34, "12.3"),
        ("p95_ms", "Float64", 0.1234, "0.123"),
        ("share_pct", "Float64", 66.6666, "66.7"),
        ("size_bytes", "UInt64", 1536, "1.5 KiB"),
        ("size_bytes", "UInt64", 17, "17 B"),
        ("ratio", "Float64", 0.3333333333, "0.333333"),
        ("calls", "Float64", 1082, "1,082"),
        ("ratio", "Float64", 1234.5, "1,234.5"),
        ("ratio", "Float64", 12345678.9, "12,345,679"),
        ("ratio", "Float64", 1e-9, "1e-9"),
        ("ratio", "Float64", "nan", "nan"),
        ("ratio", "Float32", 100, "100"),
        ("ok", "Bool", True, "true"),
        ("at", "DateTime64(9, 'UTC')", "2026-01-02 03:04:05.000000000", "2026-01-02 03:04:05"),
        ("at", "DateTime64(9, 'UTC')", "2026-01-02 03:04:05.120400000", "2026-01-02 03:04:05.12"),
        ("at", "DateTime", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02 03:04:05"),
        ("day", "Date", "2026-01-02", "2026-01-02"),
        ("tags", "Array(String)", ["a", "ü"], '["a", "ü"]'),
        (
            "drivers",
            "Array(Tuple(String, Float64))",
            [["m", 2e-05], ["n", 0.0]],
            '[["m", 0.00002], ["n", 0.0]]',
        ),
        ("tags", "Array(Map(String, UInt8))", [{"a": None}, True], '[{"a": null}, true]'),
        ("tags", "Map(String, UInt8)", {"a": 1}, '{"a": 1}'),
        ("model", "LowCardinality(Nullable(String))", None, "–"),
        ("model", "LowCardinality(String)", "", ""),
    ],
)
def test_values_are_shown_by_type_and_unit(name: str, type_name: str, value: object, shown: str) -> None:
    """The unit stands in the column's name, the kind in its type."""
    assert cell(name, type_name, value) == shown


@given(st.text())
def test_text_cannot_move_a_terminals_cursor(text: str) -> None:
    """Control characters and direction marks are shown as pictures."""
    shown = cell("output", "String", text)
    assert all(ord(c) >= 0x20 and not 0x7F <= ord(c) < 0xA0 for c in shown)
    assert not set("\u202e\u2066\u200f") & set(shown)
    assert len(shown) == len(text)


def test_points_of_numbers_stand_under_each_other() -> None:
    """Cells are filled up on the right where others have more decimals."""
    cells = column("cost_usd", "Decimal(18, 12)", ["1.5", "0.123456", None, "0"])
    assert cells == ["1.50    ", "0.123456", "–       ", "0       "]


def test_midnights_are_days() -> None:
    """A column of days says no times; one that has a time says all of them."""
    days = ["2026-01-02 00:00:00", None]
    assert column("hour", "DateTime", days) == ["2026-01-02", "–"]
    assert column("hour", "DateTime", [*days, "2026-01-02 01:00:00"])[0] == "2026-01-02 00:00:00"


def test_types_are_told_apart() -> None:
    """Numbers stand right, dates and text left, whatever is wrapped around them."""
    assert plain_type("LowCardinality(Nullable(String))") == "String"
    assert all(is_number(t) for t in ("UInt8", "Nullable(Int256)", "Float64", "Decimal(18, 12)"))
    assert not any(is_number(t) for t in ("String", "Date", "DateTime64(9)", "Array(UInt8)", "UUID", "IPv4"))
