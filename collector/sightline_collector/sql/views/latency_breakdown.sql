-- Grain: one trace of one project that has a span with a stage
-- Units: ms. A stage's time is the union of its spans' intervals: what runs in parallel or is nested in
--        the same stage counts once. Stages may overlap (a guardrail that calls a model counts for
--        both), so their sum may exceed total_ms. total_ms is the time that root spans cover, or from
--        the first start to the last end when no root has come; unattributed_ms is that part of it in
--        which no stage ran. A stage that did not run has 0. bottleneck is the stage with the longest
--        time, bottleneck_share its part of total_ms, NULL when that is 0; stages holds all of them by
--        name, users' own among them
-- Reads: spans_v1
-- Readers: people; the web pages; latency_breakdown_by_feature
create or replace view latency_breakdown as
with intervals as (
    select
        project, trace_id, stage, feature, parent_span_id = '' as is_root,
        toUnixTimestamp64Nano(started_at) as begun_ns,
        begun_ns + toInt64(round(duration_ms * 1000000)) as ended_ns
    from spans_v1
),
by_stage as (
    select
        project, trace_id, stage,
        argMinIf(i.feature, i.begun_ns, i.feature != '') as feature,
        minIf(i.begun_ns, i.feature != '') as feature_ns,
        min(i.begun_ns) as first_ns, max(i.ended_ns) as last_ns,
        intervalLengthSum(i.begun_ns, i.ended_ns) as stage_ns,
        intervalLengthSumStateIf(i.begun_ns, i.ended_ns, i.is_root) as roots,
        intervalLengthSumStateIf(i.begun_ns, i.ended_ns, i.stage != '') as staged,
        intervalLengthSumStateIf(i.begun_ns, i.ended_ns, i.is_root or i.stage != '') as either
    from intervals as i
    group by project, trace_id, stage
),
by_trace as (
    select
        project, trace_id,
        argMinIf(b.feature, b.feature_ns, b.feature != '') as feature,
        min(b.first_ns) as begun_ns,
        intervalLengthSumMerge(b.roots) as root_ns,
        if(root_ns > 0, root_ns, toUInt64(max(b.last_ns) - min(b.first_ns))) as total_ns,
        intervalLengthSumMerge(b.staged) as staged_ns,
        if(root_ns > 0, intervalLengthSumMerge(b.either), total_ns) as whole_ns,
        mapFromArrays(
            groupArrayIf(b.stage, b.stage != ''),
            groupArrayIf(b.stage_ns / 1000000., b.stage != '')) as stages
    from by_stage as b
    group by project, trace_id
    having notEmpty(stages)
)
select
    trace_id, feature, total_ns / 1000000. as total_ms,
    stages['preprocessing'] as preprocessing_ms,
    stages['retrieval'] as retrieval_ms,
    stages['model_inference'] as model_inference_ms,
    stages['tool_execution'] as tool_execution_ms,
    stages['guardrail'] as guardrail_ms,
    stages['postprocessing'] as postprocessing_ms,
    -- Inclusion and exclusion: what the roots cover outside of all stages.
    (whole_ns - staged_ns) / 1000000. as unattributed_ms,
    arraySort((name, ms) -> (-ms, name), mapKeys(stages), mapValues(stages))[1] as bottleneck,
    stages[bottleneck] / nullIf(total_ms, 0) as bottleneck_share,
    stages, fromUnixTimestamp64Nano(begun_ns, 'UTC') as started_at, project
from by_trace
