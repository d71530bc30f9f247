"""Prints how long each public view takes over ten million spans, and whether that meets its target.

    python tests/bench/views_10m.py [FOLDER] [VIEW ...]

The spans are made once, by the engine, and kept in FOLDER (default: a folder of the temporary
directory); remove it when the tables have changed. To reach, on two quiet cores: 200 ms a view, 50 ms
for one trace. The CPU time of all threads stands beside, for a machine that is not quiet.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from sightline_collector.sql.catalog import Catalog
from sightline_collector.store.engine import Engine
from sightline_collector.store.migrate import migrate
from sightline_collector.store.url import StoreUrl

SPANS = 10_000_000
CHUNK = 100_000
"""Spans an insert: more of them meet the memory bound of the engine while it merges."""
REPEATS = 5
SETTLE_S = 120
VIEW_TARGET_MS, TRACE_TARGET_MS = 200, 50

# Five spans a trace (agent, retrieval, guardrail, two model calls), 30 days, 4 models, 5 features,
# 20,000 users, 400,000 sessions; 2 % of the model calls fail, 1 % have no price.
FILL = """
insert into spans_v1 (
    received_at, batch, writer, project, started_at, duration_ms, trace_id, span_id, parent_span_id,
    service, name, kind, status, error_type, operation, stage, provider, model, feature, user_id,
    session_id, prompt_name, prompt_version, variant, input_tokens, output_tokens, cache_read_tokens,
    first_chunk_ms, tokens_per_second, input, output, cost_usd, cost_status)
select
    started_at, {batch}, 'bench', 'default', started_at, duration, trace, lower(hex(n)),
    if(place = 0, '', lower(hex(n - place))), ['shop', 'desk', 'lab'][1 + t % 3],
    ['answer', 'retrieve', 'check', 'chat', 'chat'][1 + place], 'internal',
    if(failed, 'error', 'unset'), if(failed, ['RateLimitError', 'TimeoutError'][1 + n % 2], ''),
    ['agent', 'retrieval', 'guardrail', 'llm', 'llm'][1 + place],
    ['', 'retrieval', 'guardrail', 'model_inference', 'model_inference'][1 + place],
    if(called, 'openai', ''), if(called, ['gpt-5', 'gpt-5-mini', 'o4', 'gpt-4o'][1 + t % 4], ''),
    ['support', 'search', 'summary', 'chat', 'report'][1 + t % 5], 'user-' || toString(cityHash64(t) % 20000),
    'session-' || toString(intDiv(t, 5)), 'greet', toString(1 + t % 3), if(t % 2, 'A', 'B'),
    if(called, 200 + r % 4000, null), if(called, r % 900, null), if(called, r % 150, null),
    if(called, duration / 4, null), if(called, 20 + r % 100, null),
    if(place in (0, 3, 4), repeat('what it was asked ', 12), ''),
    if(place in (0, 3, 4), repeat('what it answered ', 12), ''),
    if(called and not unpriced, toDecimal64(r % 1000, 12) / 100000, null),
    multiIf(not called, 'not_a_call', unpriced, 'unpriced_model', 'priced')
from (
    select
        number as n, intDiv(n, 5) as t, n % 5 as place, cityHash64(n) as r, place >= 3 as called,
        r % 50 = 0 and called as failed, r % 100 = 1 as unpriced, lower(hex(MD5(toString(t)))) as trace,
        toDateTime64('2026-10-01 00:00:00', 9, 'UTC')
            + toIntervalMillisecond(intDiv(t * 2592000000, {traces}) + place * 40) as started_at,
        if(place = 0, 4000., 20. + r % 1500) as duration
    from numbers({first}, {count}))
"""

ONE_TRACE = "lower(hex(MD5('1234567')))"
"""A trace in the middle of the ten million."""
ONE_SESSION = "session_id = 'session-123456'"
ONE_DAY = "hour >= '2026-10-20 00:00:00' and hour < '2026-10-21 00:00:00'"
LAST_HOUR = "started_at >= '2026-10-30 23:00:00'"

JUDGE = """
insert into feedback_v1 (project, feedback_id, at, trace_id, span_id, kind, score, source, name)
select project, span_id, started_at, trace_id, span_id, 'thumbs', cityHash64(span_id) % 4 > 0, 'user', ''
from spans_v1 where parent_span_id = '' and cityHash64(trace_id) % 100 = 0
"""
"""A thumb for one trace in a hundred."""

ASKED = {
    "usage_hourly": {"a day": f"select * from usage_hourly where {ONE_DAY}"},
    "spans": {
        "newest 20": "select * from spans order by started_at desc limit 20",
        "a trace": f"select * from spans where trace_id = {ONE_TRACE}",
    },
    "trace_summary": {
        "an hour": f"select * from trace_summary where {LAST_HOUR} order by cost_usd desc",
        "a session": "select * from trace_summary"
        f" where trace_id in (select trace_id from spans where {ONE_SESSION})",
        "a trace": f"select * from trace_summary where trace_id = {ONE_TRACE}",
    },
    "latency_breakdown": {
        "an hour": f"select * from latency_breakdown where {LAST_HOUR}",
        "a trace": f"select * from latency_breakdown where trace_id = {ONE_TRACE}",
    },
    "session_summary": {
        "an hour": f"select * from session_summary where {LAST_HOUR}",
        "a session": f"select * from session_summary where {ONE_SESSION}",
    },
    "otel_traces_view_trace_id_ts": {
        "a trace": f"select * from otel_traces_view_trace_id_ts where TraceId = {ONE_TRACE}",
    },
}
"""What people ask of the views that nobody reads whole; of the others, the first rows."""


def opened(folder: Path) -> Engine:
    """A migrated store in the folder, with the ten million spans in it."""
    engine = Engine(StoreUrl(folder, "", 0, "", "", "sightline", secure=False))
    migrate(engine)
    for first in range(int(engine.value("select count() from spans_v1")), SPANS, CHUNK):
        engine.command(FILL.format(batch=first // CHUNK + 1, first=first, count=CHUNK, traces=SPANS // 5))
        print(f"\r{first + CHUNK:,} of {SPANS:,} spans made", end="", file=sys.stderr, flush=True)
    if not engine.value("select count() from feedback_v1"):
        engine.command(JUDGE)
    settle(engine)
    return engine


def settle(engine: Engine) -> None:
    """Wait until the engine has merged what was inserted, or for long enough."""
    end = time.monotonic() + SETTLE_S
    while time.monotonic() < end and engine.value("select count() from system.merges"):
        time.sleep(0.5)


def milliseconds(engine: Engine, query: str) -> tuple[float, float]:
    """Medians of a few runs, on the clock and of all cores' work; the first run reads cold files."""
    clock, work = [], []
    for _ in range(REPEATS + 1):
        begun, worked = time.perf_counter(), time.process_time()
        engine.rows(query)
        clock.append((time.perf_counter() - begun) * 1000)
        work.append((time.process_time() - worked) * 1000)
    return statistics.median(clock[1:]), statistics.median(work[1:])


def questions(names: list[str]) -> list[tuple[str, str, int]]:
    """What is asked: its title, its query, the milliseconds it may take."""
    return [
        (
            f"{name}: {title}" if title else name,
            query,
            TRACE_TARGET_MS if title == "a trace" else VIEW_TARGET_MS,
        )
        for name in names
        for title, query in ASKED.get(name, {"": f"select * from {name} limit 1000"}).items()
    ]


def main() -> None:
    """Fill when empty, then print a line a question, and how many met their target."""
    default = Path(tempfile.gettempdir()) / "sightline-views-10m"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    engine = opened(folder)
    names = sys.argv[2:] or sorted(r.name for r in Catalog("sightline").relations("views"))
    print(f"{'medians of ' + str(REPEATS):<40} {'clock ms':>9} {'CPU ms':>7} {'target':>7}")
    asked = questions(names)
    met = 0
    for title, query, target in asked:
        took, worked = milliseconds(engine, query)
        met += took < target
        verdict = "met" if took < target else "OVER"
        print(f"{title:<40} {took:>9.0f} {worked:>7.0f} {target:>7}  {verdict}", flush=True)
    print(f"{met} of {len(asked)} met; load of the machine at the end {os.getloadavg()[0]:.1f}")
    engine.close()


if __name__ == "__main__":
    main()
