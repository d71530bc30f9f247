-- Grain: one judgement of one answer, by its id: the latest when it was sent more than once
-- Units: UTC; score as given (thumbs: 1 up, 0 down; yes 1, no 0), NULL when none was; ids are lower-case
--        hex. Who knew no trace named a response or a session: then trace_id and span_id are those of the
--        call that gave the response, or trace_id is that of the session's latest trace begun before the
--        judgement, traces of shadow calls left out. found_by says how: span, trace, response, session; '' and
--        empty ids when it is not stored. kind is thumbs, score, label, comment, correction, signal (what
--        people did), outcome (what came of it) or error (an evaluator failed)
-- Reads: feedback_v1, spans_v1
-- Readers: people; the web pages; alert rules; feedback_answers
create or replace view feedback as
with calls as (
    -- Two instrumentations may tell of one call: the model call counts, then the first.
    select
        s.project as project, s.response_id as response_id,
        argMin((s.trace_id, s.span_id), (not sightline_model_call(s.operation), s.started_at)) as call
    from spans_v1 as s
    where s.entry = 'span' and s.response_id in (select response_id from feedback_v1 where trace_id = '' and response_id != '')
    group by project, response_id
),
sessions as (
    select s.project as project, s.session_id as session_id, s.trace_id as trace_id, min(s.started_at) as began
    from spans_v1 as s
    where s.shadow = 0 and s.session_id in (
        select session_id from feedback_v1 where trace_id = '' and response_id = '' and session_id != '')
    group by project, session_id, trace_id
)
select
    feedback_id, at, kind, source, name, score, label, comment, correction, trace_id, span_id, response_id,
    session_id, user_id, service, feature, error_type, received_at, project, found_by
from (
    -- Apart from the others, so that a trace's judgements are found by its id.
    select *, if(span_id = '', 'trace', 'span') as found_by
    from feedback_v1 final
    where trace_id != ''
    union all
    select
        f.* replace(ifNull(calls.call.1, '') as trace_id, ifNull(calls.call.2, '') as span_id),
        if(ifNull(calls.call.1, '') = '', '', 'response') as found_by
    from feedback_v1 as f final
    left join calls on calls.project = f.project and calls.response_id = f.response_id
    where f.trace_id = '' and f.response_id != ''
    union all
    select
        f.* replace(ifNull(sessions.trace_id, '') as trace_id),
        if(ifNull(sessions.trace_id, '') = '', '', 'session') as found_by
    from feedback_v1 as f final
    asof left join sessions
        on sessions.project = f.project and sessions.session_id = f.session_id and f.at >= sessions.began
    where f.trace_id = '' and f.response_id = ''
)
