-- Grain: one judgement of one answer, by its id: the latest when it was sent more than once
-- Units: UTC; score as given (thumbs: 1 up, 0 down), NULL when none was; ids are lower-case hex
-- Reads: feedback_v1
-- Readers: people; the web pages
create or replace view feedback as
select
    feedback_id, at, kind, source, name, score, label, comment, correction, trace_id, span_id, response_id,
    session_id, user_id, service, feature, error_type, received_at, project
from feedback_v1 final
