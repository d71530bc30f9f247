"""Prints how long each public view takes over ten million spans.

    python tests/bench/views_10m.py [FOLDER] [VIEW ...]

The spans are made once, by the engine, and kept in FOLDER (default: a folder of the temporary
directory). To reach, on two cores: 200 ms a view, 50 ms for one trace.
"""

from __future__ import annotations

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
    multiIf(not called, 'not_a_call', unpriced, 'no_model', 'priced')
from (
    select
        number as n, intDiv(n, 5) as t, n % 5 as place, cityHash64(n) as r, place >= 3 as called,
        r % 50 = 0 and called as failed, r % 100 = 1 as unpriced, lower(hex(MD5(toString(t)))) as trace,
        toDateTime64('2026-10-01 00:00:00', 9, 'UTC')
            + toIntervalMillisecond(intDiv(t * 2592000000, {traces}) + place * 40) as started_at,
        if(place = 0, 4000., 20. + r % 1500) as duration
    from numbers({first}, {count}))
"""

ONE_TRACE = "trace_id = lower(hex(MD5('1234567')))"
"""A trace in the middle of the ten million."""
ONE_DAY = "hour >= '2026-10-20 00:00:00' and hour < '2026-10-21 00:00:00'"

JUDGE = """
insert into feedback_v1 (project, feedback_id, at, trace_id, span_id, kind, score, source, name)
select project, span_id, started_at, trace_id, span_id, 'thumbs', cityHash64(span_id) % 4 > 0, 'user', ''
from spans_v1 where parent_span_id = '' and cityHash64(trace_id) % 100 = 0
"""
"""A thumb for one trace in a hundred."""

ASKED = {
    "usage_hourly": ("one day of usage_hourly", f"select * from usage_hourly where {ONE_DAY}"),
    "spans": ("newest 20 of spans", "select * from spans order by started_at desc limit 20"),
    "trace_summary": (
        "one hour of trace_summary",
        "select * from trace_summary where started_at >= '2026-10-30 23:00:00' order by cost_usd desc",
    ),
    "latency_breakdown": (
        "5 minutes of latency_breakdown",
        "select * from latency_breakdown where trace_id in"
        " (select trace_id from spans where started_at >= '2026-10-30 23:55:00')",
    ),
    "session_summary": (
        "one session",
        "select * from session_summary where session_id = 'session-123456'",
    ),
}
"""What people ask of the views that nobody reads whole; the others are read whole."""


def opened(folder: Path) -> Engine:
    """A migrated store in the folder, with the ten million spans in it."""
    engine = Engine(StoreUrl(folder, "", 0, "", "", "sightline", secure=False))
    migrate(engine)
    for first in range(int(engine.value("select count() from spans_v1")), SPANS, CHUNK):
        engine.command(FILL.format(batch=first // CHUNK + 1, first=first, count=CHUNK, traces=SPANS // 5))
        print(f"\r{first + CHUNK:,} of {SPANS:,} spans made", end="", file=sys.stderr, flush=True)
    if not engine.value("select count() from feedback_v1"):
        engine.command(JUDGE)
    return engine


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
    views = [(*ASKED.get(name, (name, f"select * from {name} limit 1000")), VIEW_TARGET_MS) for name in names]
    traces = [
        (f"one trace of {name}", f"select * from {name} where {ONE_TRACE}", TRACE_TARGET_MS)
        for name in ("spans", "trace_summary", "latency_breakdown")
        if name in names
    ]
    return views + traces


def main() -> None:
    """Fill when empty, then print a line a question."""
    default = Path(tempfile.gettempdir()) / "sightline-views-10m"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    engine = opened(folder)
    names = sys.argv[2:] or [r.name for r in Catalog("sightline").relations("views")]
    for title, query, target in questions(names):
        took, worked = milliseconds(engine, query)
        verdict = "" if took < target else f"over {target} ms"
        print(f"{title:<32} {took:>8.0f} ms {worked:>8.0f} ms of CPU  {verdict}", flush=True)
    engine.close()


if __name__ == "__main__":
    main()
