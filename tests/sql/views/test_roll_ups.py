"""Roll-ups inside the spans' parts serve the views that say so, and answer as the rows do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from random import Random

import pytest

from sightline_collector.sql.catalog import Catalog
from sightline_collector.store.engine import Engine

SERVED = {
    view.name: found[1]
    for view in Catalog("any").relations("views")
    if (found := re.search(r"^-- Served by: (\w+)$", view.header, re.MULTILINE))
}
MUST_BE_SERVED = {
    "usage_hourly", "cost_by_model", "cost_by_feature", "cost_by_prompt", "cost_by_user", "latency_by_model",
}  # fmt: skip
ASKED = {
    "usage_hourly": ["hour >= '2026-10-02 00:00:00'", "model = 'm1' and operation = 'llm'"],
    "cost_by_model": ["model = 'm1'"],
    "cost_by_feature": ["feature = 'f1'"],
    "cost_by_prompt": ["prompt_name = 'p1'"],
    "cost_by_user": ["user_id = 'u1'"],
    "cost_daily": ["day = '2026-10-02'"],
    "latency_by_model": ["model = 'm1'"],
    "latency_by_feature": ["feature = 'f1'"],
    "latency_by_operation": ["operation = 'llm'"],
    "error_rates": ["model = 'm1'"],
    "variant_comparison": ["feature = 'f1'"],
}
"""How people narrow each view: what they say must be served too."""

QUESTIONS = [(view, where) for view in SERVED for where in ["1", *ASKED.get(view, [])]]
CALLS = 60_000
SEED = 20261001

FILL = f"""
insert into spans_v1 (
    project, started_at, trace_id, span_id, service, operation, provider, model, feature, user_id,
    prompt_name, prompt_version, status, error_type, duration_ms, first_chunk_ms, tokens_per_second,
    input_tokens, output_tokens, cost_usd, cost_status, experiment, variant, shadow)
select
    'default', toDateTime64('2026-10-01 00:00:00', 9, 'UTC') + toIntervalSecond(number * 5), toString(number),
    toString(number), 'shop', if(number % 3, 'llm', 'agent'), 'openai', 'm' || toString(number % 4),
    'f' || toString(number % 5), 'u' || toString(number % 100), 'p' || toString(number % 2), '1',
    if(number % 50, 'unset', 'error'), if(number % 50, '', 'Timeout'), 1 + number % 1000,
    if(number % 2, 5, null), 30, if(number % 100, number % 700, null), if(number % 100, number % 90, null),
    if(number % 3 and number % 10, toDecimal64(number % 997, 12) / 1000000, null),
    if(number % 3, if(number % 10, 'priced', 'unpriced_model'), 'not_a_call'),
    if(number % 4, '', 'size'), multiIf(number % 4 > 0, '', number % 8 > 0, 'small', 'large'),
    number % 16 = 12
from numbers({CALLS})
"""


@pytest.fixture(scope="module")
def filled(engine: Engine) -> Iterator[Engine]:
    """A store with three days of spans."""
    engine.command("truncate table spans_v1")
    engine.command(FILL)
    yield engine
    engine.command("truncate table spans_v1")


def plan(engine: Engine, query: str) -> str:
    """The engine's plan of a query, as text."""
    return "\n".join(str(next(iter(row.values()))) for row in engine.rows(f"explain projections = 1 {query}"))


def sources(text: str) -> set[str]:
    """What a plan reads: names of roll-ups, or of tables with their database."""
    return set(re.findall(r"ReadFromMergeTree \((\S+)\)", text))


def test_the_views_of_cost_and_latency_say_what_serves_them() -> None:
    """The views that must not read rows name a roll-up in their header."""
    assert set(SERVED) >= MUST_BE_SERVED


@pytest.mark.parametrize(("view", "where"), QUESTIONS)
def test_the_named_roll_up_serves_the_view(filled: Engine, view: str, where: str) -> None:
    """A view whose header names a roll-up reads it, whole and narrowed."""
    assert SERVED[view] in sources(plan(filled, f"select * from {view} where {where}"))


@pytest.mark.parametrize(("view", "where"), [q for q in QUESTIONS if q[0] != "error_rates"])
def test_a_served_view_reads_no_rows(filled: Engine, view: str, where: str) -> None:
    """Such a view reads nothing but the roll-up; only error_rates looks at failed spans beside it."""
    assert sources(plan(filled, f"select * from {view} where {where}")) == {SERVED[view]}


@pytest.mark.parametrize("view", ["spans", "trace_summary", "latency_breakdown"])
def test_one_trace_is_found_by_its_id(filled: Engine, view: str) -> None:
    """A trace's id leads to the granule that holds it: no view of traces reads the others."""
    query = f"explain indexes = 1 select * from {view} where trace_id = '12345'"
    text = "\n".join(str(next(iter(row.values()))) for row in filled.rows(query))
    scans = text.split("ReadFromMergeTree (" + filled.database + ".spans_v1)")[1:]
    assert scans
    assert all(
        ("Name: by_trace" in scan and re.search(r"Granules: 1$", scan, re.M)) or "Granules: 0\n" in scan
        for scan in scans
    )


@pytest.mark.parametrize("view", ["trace_summary", "latency_breakdown", "session_summary"])
def test_an_hour_is_found_by_its_time(filled: Engine, view: str) -> None:
    """Traces and sessions asked for by when they started: the first spans of that time only are read."""
    query = f"explain indexes = 1 select * from {view} where started_at >= '2026-10-04 10:00:00'"
    text = "\n".join(str(next(iter(row.values()))) for row in filled.rows(query))
    plain = re.sub(r"[│├└─]", " ", text)
    assert re.search(r"Keys:\s+toStartOfMinute\(started_at\)\s+Condition.*?Granules: 1/\d", plain, re.S)


def test_one_session_is_found_by_its_id(filled: Engine) -> None:
    """A session's id leads to the granules that hold it: there are none of one that is not stored."""
    query = "explain indexes = 1 select * from session_summary where session_id = 'nowhere'"
    text = "\n".join(str(next(iter(row.values()))) for row in filled.rows(query))
    scans = text.split("ReadFromMergeTree (" + filled.database + ".spans_v1)")[1:]
    assert scans
    assert all("Name: by_session" in scan and re.search(r"Granules: 0/", scan) for scan in scans)


def test_a_response_is_found_by_its_id(filled: Engine) -> None:
    """Feedback that names a response leads to the granules that hold it, not through all spans."""
    filled.insert(
        "feedback_v1", [{"feedback_id": "x", "response_id": "nowhere", "at": "2026-10-02 00:00:00"}]
    )
    query = "explain indexes = 1 select * from feedback"
    text = "\n".join(str(next(iter(row.values()))) for row in filled.rows(query))
    filled.command("truncate table feedback_v1")
    scans = text.split("ReadFromMergeTree (" + filled.database + ".spans_v1)")[1:]
    assert any("Name: by_response" in scan and re.search(r"Granules: 0/", scan) for scan in scans)


def test_corrections_do_not_shorten_the_list_of_recent_traces(filled: Engine) -> None:
    """However many corrections the newest hours hold, the newest thousand spans are as many as before."""
    asked = "select count() as n, min(started_at) as since from recent_traces"
    before = filled.rows(asked)
    filled.command(
        "insert into spans_v1 (project, started_at, trace_id, span_id, entry, why, weight, calls, batch)"
        " select project, started_at, trace_id, span_id, 'correction', 'sampled', 0, 0, 1 from spans_v1"
        " order by started_at desc limit 3000"
    )
    assert (before[0]["n"], filled.rows(asked)) == (1000, before)
    filled.command("alter table spans_v1 delete where batch = 1 settings mutations_sync = 1")


def test_coverage_is_counted_in_the_roll_up(filled: Engine) -> None:
    """The traces that feedback is set against are counted by usage_hourly, not by reading every call."""
    assert "usage_hourly" in sources(plan(filled, "select * from feedback_summary"))


@pytest.mark.parametrize("view", SERVED)
def test_a_roll_up_answers_as_the_rows_do(filled: Engine, view: str) -> None:
    """Counts, sums and times from a roll-up equal those from rows; percentiles come within one percent."""
    query = f"select * from {view} order by all"
    served = filled.rows(query)
    scanned = filled.rows(f"{query} settings optimize_use_projections = 0")
    assert served != []
    digests = re.compile(r"p\d\d(_ms)?$")
    for row, other in zip(served, scanned, strict=True):
        exact = {key for key in row if not digests.search(key) and not key.startswith(("avg", "tokens_per"))}
        assert {key: row[key] for key in exact} == {key: other[key] for key in exact}
        for key in {key for key in row.keys() - exact if row[key] is not None or other[key] is not None}:
            assert row[key] == pytest.approx(other[key], rel=0.01)


@pytest.mark.parametrize("view", SERVED)
def test_answers_do_not_depend_on_the_readers_time_zone(filled: Engine, view: str) -> None:
    """Hours and days are UTC's, whatever the session's time zone is, even one of half hours."""
    texts = [f"toString(tuple({column})) as {column}" for column in exact_columns(filled, view)]
    query = f"select {', '.join(texts)} from {view} order by all"
    assert filled.rows(f"{query} settings session_timezone = 'Asia/Kolkata'") == filled.rows(query)


def exact_columns(engine: Engine, view: str) -> list[str]:
    """A view's columns that do not depend on the order in which numbers are added."""
    found = engine.rows(f"describe table {view}")
    return [row["name"] for row in found if "Float" not in row["type"]]


def test_percentiles_of_known_durations(filled: Engine) -> None:
    """Of 1, 2, ... 1000 ms the median is 500.5, the 95th 950 and the 99th 990, within half a percent."""
    row = filled.rows(
        "select sum(calls) as n, avg(p50_ms) as p50, avg(p95_ms) as p95, avg(p99_ms) as p99"
        " from latency_by_operation where operation = 'agent'"
    )[0]
    assert row["n"] == CALLS // 3
    assert [row["p50"], row["p95"], row["p99"]] == pytest.approx([500.5, 950, 990], rel=0.005)


def test_cost_is_summed_exactly(engine: Engine) -> None:
    """The sum of twelve-digit prices equals their sum as decimals, digit for digit."""
    random = Random(SEED)
    prices = [Decimal(random.randrange(10**13)).scaleb(-12) for _ in range(2000)]
    engine.insert(
        "spans_v1",
        [
            {"project": "exact", "operation": "llm", "model": "m", "user_id": "u", "cost_usd": str(price),
             "trace_id": f"{i:032x}", "started_at": f"2026-10-{1 + i % 28:02} 12:00:00"}
            for i, price in enumerate(prices)
        ],
    )  # fmt: skip
    for view in ("cost_by_model", "cost_by_feature", "cost_by_user", "cost_by_prompt"):
        assert engine.value(f"select cost_usd from {view} where project = 'exact'") == sum(prices)
    for view in ("cost_daily", "usage_hourly", "trace_summary"):
        assert engine.value(f"select sum(cost_usd) from {view} where project = 'exact'") == sum(prices)
