"""A trace drawn as a tree."""

from dataclasses import replace
from decimal import Decimal

from sightline_collector.demo.trace_tree import Span, draw


def test_spans_hang_below_their_parents_in_the_order_of_their_starts() -> None:
    """Each span is one line with its bar, its time, and what it cost."""
    tree = draw(
        [
            Span("c", "a", "chat gpt-4o", 20, 60, 1_200, 80, Decimal("0.0038")),
            Span("b", "a", "find_passages", 0, 20),
            Span("a", "", "support", 0, 80),
            Span("d", "c", "tidy", 79.5, 0.1),
        ]
    )
    assert tree.splitlines() == [
        "support           ████████████████████      80.0 ms",
        "├─ find_passages  █████                     20.0 ms",
        "└─ chat gpt-4o         ███████████████      60.0 ms   1,200 in    80 out  0.003800 USD",
        "   └─ tidy                           ▏       0.1 ms",
    ]


def test_a_span_whose_parent_is_missing_is_a_root() -> None:
    """A trace that is not all there is still drawn whole."""
    drawn = draw([Span("b", "lost", "late", 5, 5), Span("a", "", "first", 0, 1)])
    assert [line.split()[0] for line in drawn.splitlines()] == ["first", "late"]


def test_no_spans_draw_nothing() -> None:
    """An empty trace is an empty text."""
    assert draw([]) == ""


def test_a_row_in_json_becomes_a_span() -> None:
    """Numbers that JSON carries as texts are numbers again, and what is unknown stays unknown."""
    row = {"span_id": "a", "parent_span_id": "", "name": "chat", "duration_ms": 1.5}
    row |= {"started_at": "1970-01-01 00:00:01.234500000", "input_tokens": "7", "output_tokens": None}
    span = Span.of(row | {"cost_usd": "0.000001500000"})
    assert span == Span("a", "", "chat", 1234.5, 1.5, 7, None, Decimal("0.0000015"))


def test_a_trace_begins_with_its_first_span() -> None:
    """Bars lie in the trace's own time, whatever the moment that starts are counted from."""
    spans = [Span("a", "", "support", 0, 80), Span("b", "a", "find_passages", 40, 20)]
    later = [replace(span, started_ms=span.started_ms + 1.7e12) for span in spans]
    assert draw(later) == draw(spans)
