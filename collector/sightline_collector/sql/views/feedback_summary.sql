-- Grain: one feature, model and prompt version of one project that anyone has judged. A judgement
--        belongs to the model and prompt of the span that was judged; where that span names none (an
--        agent's answer), to those of the last model call in its trace
-- Units: counts; satisfaction is up / (up + down), with its Wilson 95 % interval, NULL without thumbs;
--        mean_score is over judgements of kind score, NULL without any; coverage is judged traces /
--        traces that called this model under this prompt (an estimate within 1 % from 65,000 traces on),
--        NULL when none is stored. A judgement that was sent again under its id counts once
-- Reads: feedback_v1, spans_v1
-- Readers: people; the web pages; dashboards
create or replace view feedback_summary as
with judged as (
    select
        s.project as project, s.trace_id as trace_id,
        groupArray((s.span_id, s.feature, s.model, s.prompt_name, s.prompt_version)) as spans,
        argMaxIf(
            (s.span_id, s.feature, s.model, s.prompt_name, s.prompt_version), s.started_at,
            s.operation = 'llm') as last_call
    from spans_v1 as s
    where s.trace_id in (select trace_id from feedback_v1)
    group by project, trace_id
),
-- A judged trace that is not stored gives '', also when the reader's joins say NULL for nothing.
judgements as (
    select
        f.project as project, f.trace_id as trace_id, f.kind as kind, f.score as score, f.comment as comment,
        f.correction as correction, arrayFirst(span -> span.1 = f.span_id, judged.spans) as own,
        multiIf(own.2 != '', own.2, f.feature != '', f.feature, ifNull(last_call.2, '')) as feature,
        if(own.3 != '', own.3, ifNull(last_call.3, '')) as model,
        if(own.4 != '', own.4, ifNull(last_call.4, '')) as prompt_name,
        if(own.4 != '', own.5, ifNull(last_call.5, '')) as prompt_version
    from feedback_v1 as f final
    left join judged on judged.project = f.project and judged.trace_id = f.trace_id
),
counted as (
    select
        project, feature, model, prompt_name, prompt_version, count() as judgements,
        countIf(kind = 'thumbs' and score > 0) as up, countIf(kind = 'thumbs' and score <= 0) as down,
        avgIf(score, kind = 'score') as mean_score, countIf(comment != '') as comments,
        countIf(correction != '') as corrections, uniqExactIf(trace_id, trace_id != '') as judged_traces
    from judgements
    group by project, feature, model, prompt_name, prompt_version
),
stored as (
    -- Spelled as in the roll-up usage_hourly, which answers.
    select
        project, feature, model, prompt_name, prompt_version,
        uniqIf(trace_id, sightline_model_call(operation)) as traces
    from spans_v1
    where sightline_model_call(operation)
    group by project, feature, model, prompt_name, prompt_version
)
select
    feature, model, prompt_name, prompt_version, judgements, up, down,
    up / nullIf(up + down, 0) as satisfaction,
    sightline_wilson_low(up, up + down) as satisfaction_low,
    sightline_wilson_high(up, up + down) as satisfaction_high,
    mean_score, comments, corrections, judged_traces,
    judged_traces / nullIf(traces, 0) as coverage, project
from counted
left join stored using (project, feature, model, prompt_name, prompt_version)
order by judgements desc, feature, model, prompt_name, prompt_version
