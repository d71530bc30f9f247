"""What is billed beside what was seen: pairs, days, and what explains their differences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from collector.reconcile.exports import FIRST, SECOND
from hypothesis import given
from hypothesis import strategies as st

from sightline_collector.reconcile.compare import ALL_MODELS, NO_MODEL, Comparison, compare
from sightline_collector.reconcile.explain import Reason, reasons, unexplained_usd
from sightline_collector.reconcile.line import Line, Statement, Unreadable
from sightline_collector.reconcile.pair import Hour, Pair, Sums

PERCENT = Decimal("0.01")
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


def usd(text: str, **counts: int) -> Sums:
    """Sums of an amount and counts."""
    return Sums(usd=Decimal(text), **counts)  # type: ignore[arg-type]


def statement(*lines: Line, days: Sequence[date] = ()) -> Statement:
    """An invoice of OpenAI's."""
    made = Statement("openai", "a test's", days=set(days))
    for line in lines:
        made.add(line)
    return made


def hour(model: str, text: str, at: datetime = NOON, provider: str = "openai") -> Hour:
    """An hour in which calls of a model cost an amount."""
    return Hour(at, provider, model, usd(text, calls=1))


def sides(found: Comparison) -> list[tuple[date, str, Decimal | int, Decimal | int]]:
    """Day, model, billed and seen of each pair."""
    return [(p.day, p.model, p.amount(p.billed), p.amount(p.seen)) for p in found.pairs]


def test_days_and_models_are_paired() -> None:
    """Lines and hours of one day and model are summed, whatever each calls the model."""
    found = compare(
        [
            statement(
                Line(FIRST, "gpt-4o-2024-08-06", Decimal(2)),
                Line(FIRST, "gpt-4o", Decimal(1)),
                Line(SECOND, "o3", Decimal(5)),
            )
        ],
        [hour("gpt-4o", "2.5"), hour("gpt-4o", "0.5", NOON + timedelta(hours=1)), hour("gpt-5", "4")],
    )
    assert sides(found) == [
        (FIRST, "gpt-4o", 3, 3),
        (FIRST, "gpt-5", 0, 4),
        (SECOND, "o3", 5, 0),
    ]
    assert (found.billed, found.seen, found.apart) == (Decimal(8), Decimal(7), Decimal(9))
    assert not found.within(PERCENT)


def test_only_the_kinds_that_the_files_speak_of_are_compared() -> None:
    """Calls of another kind are left out on the files' days, and counted, unless a line names their model or
    a file speaks of all kinds."""
    chat = statement(Line(FIRST, "gpt-4o", input_tokens=7), Line(FIRST, "whisper-1", input_tokens=1))
    chat.kinds.add("completions")
    hours = [
        Hour(NOON, "openai", model, Sums(input_tokens=tokens), kind=kind)
        for model, tokens, kind in (
            ("gpt-4o", 7, "completions"),
            ("whisper-1", 1, "audio_transcriptions"),
            ("embed-3", 5, "embeddings"),
            ("embed-4", 4, "embeddings"),
        )
    ]
    late = Hour(NOON + timedelta(days=1), "openai", "embed-3", Sums(input_tokens=9), kind="embeddings")
    found = compare([chat], [*hours, late])
    assert sides(found) == [(FIRST, "whisper-1", 1, 1), (FIRST, "gpt-4o", 7, 7)]
    assert found.left_out == {("openai", "embeddings"): 9}
    embedded = statement(Line(FIRST, "embed-3", input_tokens=5))
    embedded.kinds.add("embeddings")
    assert len(compare([chat, embedded], hours).pairs) == 4
    whole = compare([chat, statement(Line(FIRST, "embed-3", input_tokens=5))], hours)
    assert (len(whole.pairs), whole.left_out) == (4, {})


def test_only_what_the_files_speak_of_is_compared() -> None:
    """Other providers' calls, and other days', are not set against the file; its days without lines are."""
    hours = [
        hour("gpt-4o", "1"),
        hour("gpt-4o", "9", NOON - timedelta(days=1)),
        hour("gpt-4o", "7", NOON + timedelta(days=1)),
        hour("claude-sonnet-4-5", "9", provider="anthropic"),
    ]
    bill = statement(Line(FIRST, "gpt-4o", Decimal(1)), Line(date(2026, 9, 3), "gpt-4o", Decimal(0)))
    assert sides(compare([bill], hours)) == [
        (FIRST, "gpt-4o", 1, 1),
        (SECOND, "gpt-4o", 0, 7),
        (date(2026, 9, 3), "gpt-4o", 0, 0),
    ]


def test_a_file_without_models() -> None:
    """It is set against the day's sum of all models; a line without a model among others stands alone."""
    hours = [hour("gpt-4o", "1"), hour("o3", "2")]
    assert sides(compare([statement(Line(FIRST, "", Decimal(3)))], hours)) == [(FIRST, ALL_MODELS, 3, 3)]
    mixed = statement(Line(FIRST, "", Decimal(1)), Line(FIRST, "o3", Decimal(2)))
    assert sides(compare([mixed], hours[1:])) == [(FIRST, NO_MODEL, 1, 0), (FIRST, "o3", 2, 2)]


def test_a_file_without_costs() -> None:
    """Tokens are then compared, input and output together."""
    bill = statement(Line(FIRST, "o3", input_tokens=900, output_tokens=100))
    seen = Hour(NOON, "openai", "o3", usd("5", input_tokens=890, output_tokens=105, calls=1))
    found = compare([bill], [seen])
    assert sides(found) == [(FIRST, "o3", 1000, 995)]
    assert found.within(PERCENT)


def test_usage_and_cost_in_two_files() -> None:
    """They are put together: one brings the tokens, the other the amounts."""
    found = compare(
        [
            statement(Line(FIRST, "o3", input_tokens=10, output_tokens=1)),
            statement(Line(FIRST, "o3-2025-04-16", Decimal(2))),
        ],
        [hour("o3", "2")],
    )
    assert [pair.billed for pair in found.pairs] == [
        Sums(Decimal(2), Decimal(2), input_tokens=10, output_tokens=1)
    ]


def test_fees_are_billed_apart() -> None:
    """What was seen of them is left out where the file names models, and is in a sum that names nothing."""
    hours = [hour("o3", "4.8"), Hour(NOON, "openai", "o3", usd("-1.2"), is_fees=True)]
    found = compare([statement(Line(FIRST, "o3", Decimal("3.6")))], hours)
    assert (sides(found), found.fees_usd) == ([(FIRST, "o3", Decimal("3.6"), Decimal("3.6"))], Decimal("1.2"))
    total = compare([statement(Line(FIRST, "", Decimal("4.8")))], hours)
    assert sides(total) == [(FIRST, ALL_MODELS, Decimal("4.8"), Decimal("4.8"))]
    assert total.fees_usd == 0


def test_tokens_by_model_and_costs_without() -> None:
    """Then the day's sum of all models is compared, tokens too."""
    usage = statement(Line(FIRST, "o3", input_tokens=10), Line(FIRST, "gpt-4o", input_tokens=5))
    found = compare([usage, statement(Line(FIRST, "", Decimal(3)))], [hour("gpt-4o", "1"), hour("o3", "2")])
    assert sides(found) == [(FIRST, ALL_MODELS, 3, 3)]
    assert [p.billed and p.billed.input_tokens for p in found.pairs] == [15]


def test_amounts_and_tokens_are_not_added() -> None:
    """Files of two providers, one without amounts, are refused: they have no sum."""
    other = Statement("anthropic", "a test's")
    other.add(Line(FIRST, "claude-sonnet-4-5", input_tokens=7))
    with pytest.raises(Unreadable) as refused:
        compare([statement(Line(FIRST, "o3", Decimal(1))), other], [])
    assert refused.value.message == "the files of anthropic have tokens, others amounts"


def test_days_of_another_time_zone() -> None:
    """Days that begin elsewhere are found out, also at midnight UTC, and fit when that zone is given."""
    pacific = timezone(timedelta(hours=-7))
    hours = [hour("o3", f"{n + 1}", datetime(2026, 9, 1, tzinfo=UTC) + timedelta(hours=n)) for n in range(72)]
    lines = [Line(h.hour.astimezone(pacific).date(), "o3", h.sums.usd) for h in hours]
    bill = statement(*(line for line in lines if FIRST <= line.day <= SECOND))
    found = compare([bill], hours)
    assert found.shift_hours == 7
    assert not found.within(PERCENT)
    there = compare([bill], hours, pacific)
    assert there.within(Decimal(0))
    assert there.shift_hours is None
    utc = statement(*(Line(h.hour.date(), "o3", h.sums.usd) for h in hours))
    assert compare([utc], hours, pacific).shift_hours == 0


def pair(billed: Sums | None, seen: Sums | None, **more: object) -> Pair:
    """A pair of 1 September's gpt-4o."""
    return Pair(FIRST, "openai", "gpt-4o", billed, seen, **more)  # type: ignore[arg-type]


SAME = {"input_tokens": 1000, "output_tokens": 100}
UNPRICED = Sums(calls=2, unpriced_calls=2, input_tokens=1000, output_tokens=100)


@pytest.mark.parametrize(
    ("found", "names", "explained"),
    [
        (pair(usd("100", **SAME), usd("100.5", **SAME)), [], "0"),
        (pair(usd("7"), None), ["not_seen"], "7"),
        (pair(None, usd("7")), ["not_billed"], "-7"),
        (pair(usd("10", **SAME), usd("20", **SAME)), ["price"], "-10"),
        (pair(usd("17", **SAME), usd("20", **SAME)), ["price"], "-3"),
        (pair(usd("10", **SAME), usd("20", **SAME), tiers=frozenset({"batch"})), ["tier"], "-10"),
        (pair(usd("10"), usd("20"), tiers=frozenset({"batch"})), ["tier"], "0"),
        (pair(Sums(Decimal(18), Decimal(20)), usd("20")), ["discount"], "-2"),
        (pair(usd("20", input_tokens=2000, output_tokens=200), usd("10", **SAME)), ["tokens"], "10"),
        (pair(usd("20", input_tokens=1000, output_tokens=400), usd("10", **SAME)), ["tokens"], "10"),
        (pair(usd("90", input_tokens=1100, output_tokens=100), usd("10", **SAME)), ["tokens"], "0"),
        (pair(usd("5", **SAME), UNPRICED), ["unpriced"], "5"),
        (pair(usd("5", **SAME), usd("3", calls=3, unpriced_calls=1, **SAME)), ["unpriced"], "0"),
        (pair(usd("5"), usd("3", calls=3)), ["no_tokens"], "0"),
        (pair(usd("5", calls=4, **SAME), usd("10", calls=1, **SAME)), ["price"], "-5"),
        (pair(usd("5", calls=9), usd("5", calls=9), in_usd=False), [], "0"),
        (pair(usd("0.34"), usd("0.36"), rounded_usd=Decimal("0.02")), [], "0"),
    ],
)
def test_what_explains_a_difference(found: Pair, names: list[str], explained: str) -> None:
    """The reason is named, with the amount that it explains where that is certain."""
    given = reasons(found, PERCENT)
    assert [reason.name for reason in given] == names
    assert sum(reason.usd or 0 for reason in given) == Decimal(explained)


def test_estimates_and_caches_are_named() -> None:
    """Estimated tokens are said, and each count that differs, with both numbers."""
    billed = usd("10", input_tokens=1000, output_tokens=100, cache_read_tokens=800)
    seen = usd("20", input_tokens=1000, output_tokens=100, cache_read_tokens=0, estimated_calls=3)
    assert reasons(pair(billed, seen), PERCENT) == [
        Reason("estimated", "the tokens of 3 calls are estimates here"),
        Reason("tokens", "800 cache read tokens billed, 0 seen"),
    ]


@pytest.mark.parametrize(
    ("ratio", "says"),
    [("0.5", "half the price, as of batches"), ("2", "twice the price"), ("1.1", "a tenth more"),
     ("0.85", "15.0 % less for the same tokens"), ("1.3", "30.0 % more for the same tokens")],
)  # fmt: skip
def test_the_price_of_the_same_tokens(ratio: str, says: str) -> None:
    """Half, double and a tenth more are known; any other price is said as a percentage."""
    (reason,) = reasons(pair(usd(ratio, **SAME), usd("1", **SAME)), PERCENT)
    assert reason.text.startswith(says)


money = st.none() | st.decimals(min_value=0, max_value=1000, places=6)
counts = st.none() | st.integers(0, 10**6)
sums = st.builds(Sums, money, money, counts, counts, counts, counts, counts, counts, counts)


@given(sums, sums)
def test_reasons_never_say_more_than_there_is(billed: Sums, seen: Sums) -> None:
    """What is explained and what is not add up to the difference, whatever the two sides hold."""
    found = pair(billed, seen)
    told = sum((reason.usd or Decimal(0) for reason in reasons(found, PERCENT)), Decimal(0))
    expected = Decimal(0) if found.within(PERCENT) else found.difference
    assert told + unexplained_usd(found, PERCENT) == expected
