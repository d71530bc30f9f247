"""The Grafana overview, as code: `python dashboards/overview.py` writes overview.json beside it.

Panels name views only, and every view carries its project. `$__timeFilter` and its kin are macros of the data
source plugin; `${project:sqlstring}` is the dashboard's variable, quoted.
"""

import json
from pathlib import Path
from typing import Final

from panels import Json, Panel, figure, laid_out

OUTPUT: Final = Path(__file__).with_name("overview.json")

FIGURES: Final = (
    figure(
        title="Cost today",
        says="since midnight UTC; calls without a price are not in it",
        unit="currencyUSD",
        sql="""
select sum(cost_usd) as cost_usd
from cost_daily
where day = toDate(now('UTC')) and project = ${project:sqlstring}""",
    ),
    figure(
        title="Cost, 7 days",
        says="of the last seven UTC days, today included",
        unit="currencyUSD",
        sql="""
select sum(cost_usd) as cost_usd
from cost_daily
where day > toDate(now('UTC')) - 7 and project = ${project:sqlstring}""",
    ),
    figure(
        title="Model calls today",
        says="since midnight UTC, failed ones too",
        sql="""
select sum(calls) as calls
from cost_daily
where day = toDate(now('UTC')) and project = ${project:sqlstring}""",
    ),
    figure(
        title="Failed today",
        says="share of the model calls since midnight UTC",
        unit="percentunit",
        alarm=0.05,
        sql="""
select sum(errors) / nullIf(sum(calls), 0) as failed
from cost_daily
where day = toDate(now('UTC')) and project = ${project:sqlstring}""",
    ),
    figure(
        title="Unpriced calls",
        says="calls without a price, over all retained time: they add nothing to any cost",
        alarm=1,
        sql="""
select sum(calls) as calls
from unpriced_calls
where project = ${project:sqlstring}""",
    ),
    figure(
        title="Items lost",
        says="spans, records and points that senders dropped or the collector refused, as far as is known",
        alarm=1,
        sql="""
select sum(items) as items
from span_loss
where project = ${project:sqlstring}""",
    ),
)
COST: Final = (
    Panel(
        title="Cost by model",
        says="by UTC day",
        unit="currencyUSD",
        stacked=True,
        sql="""
select toDateTime(day) as time, model, sum(cost_usd) as cost_usd
from cost_daily
where day >= toDate($__fromTime) and day <= toDate($__toTime) and project = ${project:sqlstring}
group by time, model
order by time, model""",
    ),
    Panel(
        title="Cost by feature",
        says="by UTC day",
        unit="currencyUSD",
        stacked=True,
        sql="""
select toDateTime(day) as time, feature, sum(cost_usd) as cost_usd
from cost_daily
where day >= toDate($__fromTime) and day <= toDate($__toTime) and project = ${project:sqlstring}
group by time, feature
order by time, feature""",
    ),
    Panel(
        title="Models",
        says="over all retained time",
        kind="table",
        units={"cost_usd": "currencyUSD", "cost_per_call_usd": "currencyUSD"},
        sql="""
select
    model, calls, cost_usd, cost_per_call_usd, input_tokens, cache_read_tokens, output_tokens,
    unpriced_calls
from cost_by_model
where project = ${project:sqlstring}""",
    ),
    Panel(
        title="Budgets",
        says="in the calendar window that is open now; forecast at the window's own pace",
        kind="table",
        units={"spend_usd": "currencyUSD", "limit_usd": "currencyUSD", "share_pct": "percent"},
        sql="""
select budget, spend_usd, limit_usd, share_pct, state, forecast_usd, window_end
from budget_status""",
    ),
)
LATENCY: Final = (
    Panel(
        title="P95 by model",
        says="of whole calls, exact over the rows of each interval",
        unit="ms",
        sql="""
select $__timeInterval(started_at) as time, model, quantileExactInclusive(0.95)(duration_ms) as p95_ms
from spans
where $__timeFilter(started_at) and operation = 'llm' and project = ${project:sqlstring}
group by time, model
order by time, model""",
    ),
    Panel(
        title="First chunk, P95 by model",
        says="of streamed calls: from the request to the first chunk of the answer",
        unit="ms",
        sql="""
select $__timeInterval(started_at) as time, model, quantileExactInclusive(0.95)(first_chunk_ms) as p95_ms
from spans
where $__timeFilter(started_at) and first_chunk_ms is not null and project = ${project:sqlstring}
group by time, model
order by time, model""",
    ),
    Panel(
        title="Latency by model",
        says="over all retained time, failed calls too; tokens_per_second_p50 in output tokens a second",
        kind="table",
        units={"p50_ms": "ms", "p95_ms": "ms", "p99_ms": "ms", "first_chunk_p95_ms": "ms"},
        sql="""
select model, calls, p50_ms, p95_ms, p99_ms, first_chunk_p95_ms, tokens_per_second_p50
from latency_by_model
where project = ${project:sqlstring}""",
    ),
    Panel(
        title="Where a trace's time goes",
        says="mean ms of each stage over all retained traces of a feature; stages may overlap",
        kind="table",
        unit="ms",
        units={"traces": "short", "bottleneck_share": "percentunit"},
        sql="""
select
    feature, traces, total_ms, retrieval_ms, model_inference_ms, tool_execution_ms, guardrail_ms,
    unattributed_ms, bottleneck, bottleneck_share
from latency_breakdown_by_feature
where project = ${project:sqlstring}""",
    ),
)
QUALITY: Final = (
    Panel(
        title="Failed calls by model",
        says="share of the model calls of each hour",
        unit="percentunit",
        sql="""
select hour as time, model, sum(errors) / nullIf(sum(calls), 0) as failed
from usage_hourly
where $__timeFilter(hour) and model != '' and project = ${project:sqlstring}
group by time, model
order by time, model""",
    ),
    Panel(
        title="Errors",
        says="over all retained time; error_rate with its 95 % interval",
        kind="table",
        units={
            "error_rate": "percentunit",
            "error_rate_low": "percentunit",
            "error_rate_high": "percentunit",
        },
        sql="""
select service, operation, model, calls, errors, error_rate, error_rate_low, error_rate_high, top_error_type
from error_rates
where errors > 0 and project = ${project:sqlstring}""",
    ),
    Panel(
        title="Drift",
        says="UTC days on which answers differed from the baseline; the causes only, not their shadows",
        kind="table",
        sql="""
select
    toDate(window_start) as day, slice, column_name, drift_value, threshold_value, top_contributor, n,
    n_cmp
from drift_alerts
where drift_type = 'BASELINE' and status = 'ALERT' and explained_by = ''
    and $__timeFilter(window_start) and project = ${project:sqlstring}
order by day desc, slice, column_name""",
    ),
    Panel(
        title="Feedback",
        says="over all retained time; satisfaction is the share of thumbs up, with its 95 % interval",
        kind="table",
        units={
            "satisfaction": "percentunit",
            "satisfaction_low": "percentunit",
            "satisfaction_high": "percentunit",
            "coverage": "percentunit",
        },
        sql="""
select
    feature, model, prompt_version, up, down, satisfaction, satisfaction_low, satisfaction_high, comments,
    corrections, coverage
from feedback_summary
where project = ${project:sqlstring}""",
    ),
)
WATCH: Final = (
    Panel(
        title="Alerts now",
        says="pending or firing, of rules and budgets",
        kind="table",
        sql="""
select since, severity, state, kind, title, delivery, channels
from alerts""",
    ),
    Panel(
        title="Calls without a price",
        says="over all retained time, with what to do about them",
        kind="table",
        sql="""
select provider, model, reason, calls, input_tokens, output_tokens, next_step
from unpriced_calls
where project = ${project:sqlstring}""",
    ),
    Panel(
        title="Lost items",
        says="by who lost them and why; no row: nothing that anyone knows of",
        kind="table",
        width=24,
        height=6,
        sql="""
select place, signal, service, reason, items, reports, first_seen_at, last_seen_at
from span_loss
where project = ${project:sqlstring}""",
    ),
)
ROWS: Final = (
    ("Today", FIGURES),
    ("Cost", COST),
    ("Latency", LATENCY),
    ("Quality", QUALITY),
    ("Watch", WATCH),
)


def dashboard() -> Json:
    """The dashboard as Grafana's file provider reads it."""
    return {
        "uid": "sightline-overview",
        "title": "Sightline",
        "tags": ["sightline", "llm"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "timezone": "utc",
        "time": {"from": "now-14d", "to": "now"},
        "refresh": "1m",
        "templating": {"list": _variables()},
        "annotations": {"list": []},
        "panels": laid_out(ROWS),
    }


def _variables() -> list[Json]:
    source = {
        "name": "datasource",
        "label": "Store",
        "type": "datasource",
        "query": "grafana-clickhouse-datasource",
    }
    project = {
        "name": "project",
        "label": "Project",
        "type": "query",
        "datasource": {"type": "grafana-clickhouse-datasource", "uid": "${datasource}"},
        "query": "select distinct project from cost_daily order by project",
        "current": {"text": "default", "value": "default"},
        "refresh": 1,
    }
    return [source, project]


def text() -> str:
    """The file's text."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    OUTPUT.write_text(text(), encoding="utf8")
