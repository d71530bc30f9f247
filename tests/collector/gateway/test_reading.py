"""The pure parts: a statement's tail, the printed tree, settings, codings."""

from __future__ import annotations

import pytest

from sightline_collector.gateway.encodings import inflated, preferred
from sightline_collector.gateway.limits import Limits, allowed
from sightline_collector.gateway.readable import READABLE
from sightline_collector.gateway.refusal import Refused
from sightline_collector.gateway.statement import Statement, has_odd_names, take_apart
from sightline_collector.gateway.syntax import Unreadable, read_tree


@pytest.mark.parametrize(
    ("spelled", "parted"),
    [
        ("SELECT 1", Statement("SELECT 1")),
        ("SELECT 1 FORMAT CSV", Statement("SELECT 1", "CSV")),
        ("SELECT 1 FORMAT `Null`", Statement("SELECT 1", "Null")),
        ("SELECT 1 SETTINGS a = 1, b = 'x' FORMAT CSV", Statement("SELECT 1", "CSV", {"a": "1", "b": "x"})),
        ("SELECT 1 FORMAT CSV SETTINGS a = 1.5", Statement("SELECT 1", "CSV", {"a": "1.5"})),
        ("SELECT 1 SETTINGS a = 1 FORMAT CSV SETTINGS a = 2", Statement("SELECT 1", "CSV", {"a": "2"})),
        ("SELECT ' FORMAT CSV'", Statement("SELECT ' FORMAT CSV'")),
        ("SELECT ' SETTINGS a = 1'", Statement("SELECT ' SETTINGS a = 1'")),
        ("SELECT 1 AS `x FORMAT CSV`", Statement("SELECT 1 AS `x FORMAT CSV`")),
        ("SELECT 1 SETTINGS a = [1]", Statement("SELECT 1 SETTINGS a = [1]")),
    ],
)
def test_a_statements_tail_is_parted(spelled: str, parted: Statement) -> None:
    """FORMAT and SETTINGS at the end, not what looks like them in a string or a name."""
    assert take_apart(spelled) == parted


@pytest.mark.parametrize(
    ("spelled", "odd"),
    [("SELECT `a b`", False), ("SELECT 'a\\nb'", False), ("SELECT `a\\nb`", True),
     ("SELECT '`\\n', 1", False), ("SELECT 'x', `a\\\\b`", True)],
)  # fmt: skip
def test_names_that_must_be_escaped_are_odd(spelled: str, odd: bool) -> None:
    """Only names count, not strings."""
    assert has_odd_names(spelled) is odd


def test_a_tree_is_read_as_printed() -> None:
    """Kind, name and children of every node."""
    root = read_tree("A (children 2)\n B x (alias y) (children 1)\n  C 'z (alias w)'\n D (alias q)")
    assert [(n.kind, n.name) for n in root.walk()] == [("A", ""), ("B", "x"), ("C", "'z"), ("D", "")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A (children 1)",
        "A\nB",
        "A\n B",
        "A (children 2)\n B",
        "A (children 1)\n  B",
        "A (children 1)\n B\n C",
        " A",
    ],
)
def test_a_tree_that_does_not_add_up_is_unreadable(text: str) -> None:
    """Announced and printed children must agree at every node."""
    with pytest.raises(Unreadable):
        read_tree(text)


def test_bounds_are_lowered_and_never_raised() -> None:
    """Zero, which would mean no bound, is the bound; fractions are rounded up."""
    limits = Limits(execution_s=30, result_rows=100)
    assert allowed({}, limits)["max_execution_time"] == "30"
    assert allowed({"max_execution_time": "0.2"}, limits)["max_execution_time"] == "1"
    assert allowed({"max_execution_time": "60"}, limits)["max_execution_time"] == "30"
    assert allowed({"max_result_rows": "0"}, limits)["max_result_rows"] == "100"
    assert allowed({"max_rows_to_read": "7"}, limits)["max_rows_to_read"] == "7"


@pytest.mark.parametrize(
    ("name", "value"),
    [("readonly", "0"), ("nosuch", "1"), ("max_threads", "x"), ("max_threads", "-1"), ("limit", "1; drop"),
     ("output_format_schema", "x"), ("session_timezone", "a&b=c"), ("join_use_nulls", "1\n")],
)  # fmt: skip
def test_other_settings_are_refused(name: str, value: str) -> None:
    """What is not a reader's to choose, and what cannot be meant."""
    with pytest.raises(Refused):
        allowed({name: value})


def test_a_transports_names_are_no_settings() -> None:
    """Names of the protocol pass without effect, and readonly is what it is."""
    assert allowed({"session_id": "x", "readonly": "2", "query_id": "y"}) == allowed({})


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [("", ""), ("br", ""), ("gzip", "gzip"), ("gzip, deflate, br, zstd", "zstd"),
     ("gzip;q=1, zstd;q=0.5", "gzip"), ("lz4,zstd;q=0", "lz4"),
     ("lz4; q=0.5, gzip ;Q=0.6", "gzip"), ("gzip;q=x", ""), ("*", "")],
)  # fmt: skip
def test_the_preferred_coding_is_chosen(accepted: str, chosen: str) -> None:
    """The client's weight first, our preference among equals."""
    assert preferred(accepted) == chosen


def test_unknown_and_broken_codings_are_refused() -> None:
    """With the reason."""
    with pytest.raises(ValueError, match="not spoken"):
        inflated(b"x", "br", 10)
    for coding in ("gzip", "deflate", "zstd", "lz4"):
        with pytest.raises(ValueError, match=f"no {coding}"):
            inflated(b"not packed at all", coding, 1000)


def test_no_list_of_names_is_empty() -> None:
    """Each list of data/readable.toml holds something, and functions are lower case."""
    for name in READABLE.__slots__:
        assert getattr(READABLE, name), name
    assert all(f == f.lower() for f in READABLE.shut_functions | READABLE.syntax_functions)
