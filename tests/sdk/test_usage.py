"""Token counts: parts inside their wholes, each token in one bucket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.usage import MAX_TOKENS, Usage, count, from_attributes, latest, normalised

counts = st.none() | st.integers(0, MAX_TOKENS)
usages = st.builds(Usage, *[counts] * 11)


@given(usages)
def test_buckets_add_up_to_the_wholes_and_are_never_negative(usage: Usage) -> None:
    """Whatever was reported, every token of a whole is in exactly one of its buckets."""
    buckets = usage.buckets()
    assert min(buckets.values()) >= 0
    assert buckets["uncached_input"] + buckets["cache_read"] + buckets["cache_write"] == (
        usage.input_tokens or 0
    )
    assert buckets["visible_output"] + buckets["reasoning"] == (usage.output_tokens or 0)


@given(usages)
def test_usage_survives_the_way_through_attributes(usage: Usage) -> None:
    """What is written on a span is read back from it."""
    assert from_attributes(usage.to_attributes()) == usage


def test_buckets_of_a_cached_answer() -> None:
    """Of 2006 input tokens with 1920 from the cache, 86 are at full price."""
    assert Usage(2006, 300, cache_read_tokens=1920, reasoning_tokens=100).buckets() == {
        "uncached_input": 86,
        "cache_read": 1920,
        "cache_write": 0,
        "visible_output": 200,
        "reasoning": 100,
    }


@pytest.mark.parametrize(
    ("raw", "total", "expected"),
    [
        (Usage(18495, 445, 16399, 2089), 18940, 18495),
        (Usage(7, 445, 16399, 2089), None, 18495),
        (Usage(5000, 100, 2000), 7100, 7000),
        (Usage(5000, 100, 2000), 5100, 5000),
        (Usage(5000, 100, 2000), None, 5000),
    ],
    ids=[
        "inside by the total",
        "outside by arithmetic",
        "outside by the total",
        "inside",
        "inside by default",
    ],
)
def test_the_input_is_made_to_include_the_cache(raw: Usage, total: int | None, expected: int) -> None:
    """Whether it does already, the total tells, or else the arithmetic; otherwise it does."""
    assert normalised(raw, total_tokens=total).input_tokens == expected


@pytest.mark.parametrize(
    ("raw", "total", "expected"),
    [
        (Usage(75, 1186, reasoning_tokens=1024), None, 1186),
        (Usage(1000, 200, reasoning_tokens=800), None, 1000),
        (Usage(1000, 900, reasoning_tokens=800), 2700, 1700),
    ],
    ids=["inside", "outside by arithmetic", "outside by the total"],
)
def test_the_output_is_made_to_include_reasoning(raw: Usage, total: int | None, expected: int) -> None:
    """Reasoning that cannot be inside the output is added to it."""
    assert normalised(raw, total_tokens=total).output_tokens == expected


@given(usages, usages)
def test_the_last_word_counts_and_nothing_is_added_up(first: Usage, last: Usage) -> None:
    """A later report replaces the counts that it has; where it is silent the earlier ones stay."""
    merged = latest(first, last)
    assert latest(merged, last) == merged
    for name, said in last._asdict().items():
        assert getattr(merged, name) == (getattr(first, name) if said is None else said)


def test_a_cache_that_stands_outside_is_added_once() -> None:
    """However often, and however partly, a stream reports its counts."""
    start = Usage(7, None, 16399, 2089)
    whole = Usage(18495, 445, 16399, 2089)
    begun = latest(Usage(), start, cache_outside=True)
    assert begun == Usage(18495, None, 16399, 2089)
    assert latest(begun, Usage(output_tokens=445), cache_outside=True) == whole
    assert latest(begun, Usage(7, 445), cache_outside=True) == whole
    assert latest(begun, Usage(7, 445, 16399, 2089), cache_outside=True) == whole
    assert latest(latest(begun, start, cache_outside=True), whole) == whole


@pytest.mark.parametrize("strange", [-1, True, "12", 1.5, float("nan"), MAX_TOKENS + 1, None, object()])
def test_what_is_no_count_is_not_reported(strange: object) -> None:
    """Negative, absurd, fractional or textual counts are taken for absent, never for zero."""
    assert count(strange) is None


def test_zero_is_reported_and_absent_is_not() -> None:
    """A usage of zero is a usage."""
    assert Usage(0, 0)
    assert not Usage()
    assert Usage(0).to_attributes() == {"gen_ai.usage.input_tokens": 0}


def test_the_former_name_of_cache_writes_is_read() -> None:
    """Spans written before the attribute was renamed keep their cache writes."""
    former = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.cache_creation.input_tokens": 4}
    assert from_attributes(former) == Usage(10, cache_write_tokens=4)
