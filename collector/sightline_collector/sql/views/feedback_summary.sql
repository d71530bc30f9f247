-- Grain: one feature, model and prompt version of one project that people have judged; feedback_answers
--        says which answer a judgement is about
-- Units: counts; satisfaction is up / (up + down), with its Wilson 95 % interval, NULL without thumbs;
--        mean_score is over judgements of kind score, NULL without any; coverage is judged traces /
--        traces that called this model under this prompt (an estimate within 1 % from 65,000 traces on;
--        shadow calls left out), NULL when none is stored. A judgement that was sent again under its id
--        counts once. signals are what people did (regenerate, copy, edit) and no judgements; scores by
--        code and models, and outcomes, stand in feedback_scores, each under its own name
-- Reads: feedback_answers, spans_v1
-- Readers: people; the web pages; dashboards
create or replace view feedback_summary as
with counted as (
    select
        project, feature, model, prompt_name, prompt_version, countIf(kind != 'signal') as judgements,
        countIf(kind = 'thumbs' and score > 0) as up, countIf(kind = 'thumbs' and score <= 0) as down,
        avgIf(score, kind = 'score') as mean_score, countIf(comment != '') as comments,
        countIf(correction != '') as corrections, countIf(kind = 'signal') as signals,
        uniqExactIf(trace_id, trace_id != '' and kind != 'signal') as judged_traces
    from feedback_answers
    where source not in ('code', 'judge') and kind not in ('outcome', 'error')
    group by project, feature, model, prompt_name, prompt_version
),
stored as (
    -- Spelled as in the roll-up usage_hourly, which answers.
    select
        project, feature, model, prompt_name, prompt_version,
        uniqIf(trace_id, sightline_model_call(operation)) as traces
    from spans_v1
    where sightline_model_call(operation) and shadow = 0
    group by project, feature, model, prompt_name, prompt_version
)
select
    feature, model, prompt_name, prompt_version, judgements, up, down,
    up / nullIf(up + down, 0) as satisfaction,
    sightline_wilson_low(up, up + down) as satisfaction_low,
    sightline_wilson_high(up, up + down) as satisfaction_high,
    mean_score, comments, corrections, judged_traces,
    judged_traces / nullIf(traces, 0) as coverage, signals, project
from counted
left join stored using (project, feature, model, prompt_name, prompt_version)
order by judgements desc, feature, model, prompt_name, prompt_version
