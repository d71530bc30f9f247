-- Grain: one judgement, with the answer that it is about. Feature, model, prompt and variant are those of
--        the span that was judged; where that span names none (an agent's answer), those of the last model
--        call in its trace, shadow calls and evaluators' calls left out
-- Units: as in feedback; '' where the answer is not stored or names none
-- Reads: feedback, spans_v1
-- Readers: people; feedback_summary, feedback_scores
create or replace view feedback_answers as
with judged as (
    select
        s.project as project, s.trace_id as trace_id,
        groupArray((
            s.span_id, s.feature, s.model, s.prompt_name, s.prompt_version, s.experiment, s.variant)) as known,
        argMaxIf(
            (s.span_id, s.feature, s.model, s.prompt_name, s.prompt_version, s.experiment, s.variant),
            s.started_at,
            s.operation = 'llm' and s.shadow = 0 and not startsWith(s.feature, 'evaluation:')) as last_call
    from spans_v1 as s
    where s.trace_id in (select trace_id from feedback where trace_id != '')
    group by project, trace_id
),
-- A judged trace that is not stored gives '', also when the reader's joins say NULL for nothing.
placed as (
    select
        f.*, arrayFirst(span -> span.1 = f.span_id, judged.known) as own, ifNull(last_call.2, '') as last_feature,
        ifNull(last_call.3, '') as last_model, ifNull(last_call.4, '') as last_prompt,
        ifNull(last_call.5, '') as last_version, ifNull(last_call.6, '') as last_experiment,
        ifNull(last_call.7, '') as last_variant
    from feedback as f
    left join judged on judged.project = f.project and judged.trace_id = f.trace_id
)
select
    feedback_id, at, kind, source, name, score, label, comment, correction, trace_id, span_id, response_id,
    session_id, user_id, service,
    multiIf(own.2 != '', own.2, placed.feature != '', placed.feature, last_feature) as feature,
    if(own.3 != '', own.3, last_model) as model,
    if(own.4 != '', own.4, last_prompt) as prompt_name,
    if(own.4 != '', own.5, last_version) as prompt_version,
    if(own.7 != '', own.6, last_experiment) as experiment,
    if(own.7 != '', own.7, last_variant) as variant,
    error_type, received_at, project, found_by
from placed
