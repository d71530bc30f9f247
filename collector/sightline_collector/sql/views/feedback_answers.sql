-- Grain: one judgement, with the answer that it is about. Feature, model, prompt and variant are those of
--        the span that was judged; where that span names none (an agent's answer), those of the last model
--        call in its trace, shadow calls and evaluators' calls left out
-- Units: as in feedback; '' where the answer is not stored or names none
-- Reads: feedback, spans_v1
-- Readers: people; feedback_summary, feedback_scores
create or replace view feedback_answers as
with told as (
    -- Spans are read once for both: those that were judged, and the last model call of each judged trace.
    select
        s.project as project, s.trace_id as trace_id,
        groupArrayIf(
            (s.span_id, s.feature, s.model, (s.prompt_name, s.prompt_version), (s.experiment, s.variant)),
            s.span_id in (select span_id from feedback where span_id != '')) as judged,
        [argMaxIf(
            (s.feature, s.model, (s.prompt_name, s.prompt_version), (s.experiment, s.variant)), s.started_at,
            s.operation = 'llm' and s.shadow = 0 and not startsWith(s.feature, 'evaluation:'))] as last_call
    from spans_v1 as s
    where s.entry = 'span' and s.trace_id in (select trace_id from feedback where trace_id != '')
    group by project, trace_id
),
-- What is not stored gives '': of an empty list, which stays one when the reader's joins say NULL for nothing.
placed as (
    select
        f.feedback_id as feedback_id, f.at as at, f.kind as kind, f.source as source, f.name as name,
        f.score as score, f.label as label, f.comment as comment, f.correction as correction,
        f.trace_id as trace_id, f.span_id as span_id, f.response_id as response_id,
        f.session_id as session_id, f.user_id as user_id, f.service as service, f.feature as said_feature,
        f.error_type as error_type, f.received_at as received_at, f.project as project,
        f.found_by as found_by,
        arrayFirst(each -> each.1 = f.span_id, told.judged) as own,
        own.2 as own_feature, own.3 as own_model, own.4 as own_prompt, own.5 as own_variant,
        told.last_call[1] as other,
        other.1 as last_feature, other.2 as last_model, other.3 as last_prompt, other.4 as last_variant
    from feedback as f
    left join told on told.project = f.project and told.trace_id = f.trace_id
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
