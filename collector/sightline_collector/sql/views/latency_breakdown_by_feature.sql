-- Grain: one feature of one project, over the traces with a stage of the newest hours: as many hours as it
--        takes to have 100,000 spans. They tell where the time goes, and can be read at once
-- Units: ms, means over the feature's traces; a stage that did not run in a trace counts as 0 there, so
--        that the means compare with total_ms. Overlap as in latency_breakdown. bottleneck is the stage
--        with the longest mean, bottleneck_share its part of the mean total, NULL when that is 0
--        As in latency_breakdown, but of a trace that began more than a day before those hours only that
--        last day counts
-- Reads: spans_v1
-- Readers: people; the web pages; dashboards
create or replace view latency_breakdown_by_feature as
with hours as (
    select toStartOfHour(started_at) as hour, countIf(entry = 'span') as spans
    from spans_v1
    group by hour
),
newest as (
    select min(hour) as first_hour
    from (select hour, spans, sum(spans) over (order by hour desc) as so_far from hours)
    where so_far - spans < 100000
),
by_trace as (
    select
        {type:stage_times}
    from spans_v1 as s
    where s.entry = 'span' and s.started_at >= (select first_hour - interval 1 day from newest)
        and s.trace_id in (select trace_id from spans_v1 where started_at >= (select first_hour from newest))
    group by project, trace_id
    having notEmpty(stages) and not thinned
),
by_feature as (
    select
        project, feature, count() as traces, avg(t.total_ns) / 1000000 as total_ms,
        avg(t.unattributed_ns) / 1000000 as unattributed_ms, sumMap(t.stages) as sums
    from by_trace as t
    group by project, feature
)
select
    feature, traces, round(total_ms, 3) as total_ms,
    round(sums['preprocessing'] / traces, 3) as preprocessing_ms,
    round(sums['retrieval'] / traces, 3) as retrieval_ms,
    round(sums['model_inference'] / traces, 3) as model_inference_ms,
    round(sums['tool_execution'] / traces, 3) as tool_execution_ms,
    round(sums['guardrail'] / traces, 3) as guardrail_ms,
    round(sums['postprocessing'] / traces, 3) as postprocessing_ms,
    round(unattributed_ms, 3) as unattributed_ms,
    arraySort((name, ms) -> (-ms, name), mapKeys(sums), mapValues(sums))[1] as bottleneck,
    sums[bottleneck] / traces / nullIf(total_ms, 0) as bottleneck_share,
    mapApply((stage, ms) -> (stage, round(ms / traces, 3)), sums) as stages, project
from by_feature
order by total_ms desc, feature
