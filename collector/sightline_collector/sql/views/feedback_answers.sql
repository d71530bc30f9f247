-- Grain: one judgement, with the answer that it is about. Feature, model, prompt and variant are those of
--        the span that was judged; where that span names none (an agent's answer), those of the last model
--        call in its trace, shadow calls and evaluators' calls left out
-- Units: as in feedback; '' where the answer is not stored or names none
-- Reads: feedback, spans_v1
-- Readers: people; feedback_summary, feedback_scores
create or replace view feedback_answers as
with own as (
    select
        s.project as project, s.trace_id as trace_id, s.span_id as span_id,
        any(s.feature) as feature, any(s.model) as model,
        any((s.prompt_name, s.prompt_version)) as prompt, any((s.experiment, s.variant)) as variant
    from spans_v1 as s
    where s.entry = 'span' and (s.trace_id, s.span_id) in (select trace_id, span_id from feedback where span_id != '')
    group by project, trace_id, span_id
),
last_call as (
    select
        s.project as project, s.trace_id as trace_id, argMax(s.feature, s.started_at) as feature,
        argMax(s.model, s.started_at) as model,
        argMax((s.prompt_name, s.prompt_version), s.started_at) as prompt,
        argMax((s.experiment, s.variant), s.started_at) as variant
    from spans_v1 as s
    where s.entry = 'span' and s.operation = 'llm' and s.shadow = 0 and not startsWith(s.feature, 'evaluation:')
        and s.trace_id in (select trace_id from feedback where trace_id != '')
    group by project, trace_id
),
-- What is not stored gives '', also when the reader's joins say NULL for nothing.
placed as (
    select
        f.feedback_id as feedback_id, f.at as at, f.kind as kind, f.source as source, f.name as name,
        f.score as score, f.label as label, f.comment as comment, f.correction as correction,
        f.trace_id as trace_id, f.span_id as span_id, f.response_id as response_id,
        f.session_id as session_id, f.user_id as user_id, f.service as service, f.feature as said_feature,
        f.error_type as error_type, f.received_at as received_at, f.project as project,
        f.found_by as found_by,
        ifNull(own.feature, '') as own_feature, ifNull(last_call.feature, '') as last_feature,
        ifNull(own.model, '') as own_model, ifNull(last_call.model, '') as last_model,
        (ifNull(own.prompt.1, ''), ifNull(own.prompt.2, '')) as own_prompt,
        (ifNull(last_call.prompt.1, ''), ifNull(last_call.prompt.2, '')) as last_prompt,
        (ifNull(own.variant.1, ''), ifNull(own.variant.2, '')) as own_variant,
        (ifNull(last_call.variant.1, ''), ifNull(last_call.variant.2, '')) as last_variant
    from feedback as f
    left join own on own.project = f.project and own.trace_id = f.trace_id and own.span_id = f.span_id
    left join last_call on last_call.project = f.project and last_call.trace_id = f.trace_id
)
select
    feedback_id, at, kind, source, name, score, label, comment, correction, trace_id, span_id, response_id,
    session_id, user_id, service,
    multiIf(own_feature != '', own_feature, said_feature != '', said_feature, last_feature) as feature,
    if(own_model != '', own_model, last_model) as model,
    if(own_prompt.1 != '', own_prompt.1, last_prompt.1) as prompt_name,
    if(own_prompt.1 != '', own_prompt.2, last_prompt.2) as prompt_version,
    if(own_variant.2 != '', own_variant.1, last_variant.1) as experiment,
    if(own_variant.2 != '', own_variant.2, last_variant.2) as variant,
    error_type, received_at, project, found_by
from placed
