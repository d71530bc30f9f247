-- Grain: one trace of one project that has a span with a stage
-- Units: ms. A stage's time is the union of its spans' intervals: what runs in parallel or is nested in
--        the same stage counts once. Stages may overlap (a guardrail that calls a model counts for
--        both), so their sum may exceed total_ms. total_ms is the time that root spans cover, or from
--        the first start to the last end when no root has come; unattributed_ms is that part of it in
--        which no stage ran. A stage that did not run has 0. bottleneck is the stage with the longest
--        time, bottleneck_share its part of total_ms, NULL when that is 0; stages holds all of them by
--        name, users' own among them. Traces that a sampler thinned have lost most of their stages: they
--        are left out
-- Filter by trace_id or started_at: both are served by indexes. A read of all, or by other columns, costs as
--        much as its spans: some seconds for ten million
-- Reads: spans_v1
-- Readers: people; the web pages; latency_breakdown_by_feature
create or replace view latency_breakdown as
with by_trace as (
    select
        {type:stage_times}
    from spans_v1 as s
    where s.entry = 'span'
    group by project, trace_id
    having notEmpty(stages) and not thinned
)
select
    t.trace_id as trace_id, t.feature as feature, t.total_ns / 1000000. as total_ms,
    t.stages['preprocessing'] as preprocessing_ms,
    t.stages['retrieval'] as retrieval_ms,
    t.stages['model_inference'] as model_inference_ms,
    t.stages['tool_execution'] as tool_execution_ms,
    t.stages['guardrail'] as guardrail_ms,
    t.stages['postprocessing'] as postprocessing_ms,
    t.unattributed_ns / 1000000. as unattributed_ms,
    arraySort((name, ms) -> (-ms, name), mapKeys(t.stages), mapValues(t.stages))[1] as bottleneck,
    t.stages[bottleneck] / nullIf(total_ms, 0) as bottleneck_share,
    t.stages as stages, first.started_at as started_at, first.project as project
from by_trace as t
-- The first span of each trace stands on the right, where the engine begins: when it is asked for by its
-- time, few are read, and they narrow which traces are.
inner any join spans_v1 as first
    on first.project = t.project and first.trace_id = t.trace_id and first.started_at = t.begun_at
