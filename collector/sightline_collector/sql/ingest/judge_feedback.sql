-- Grain: one judgement: OpenTelemetry's evaluation event, with the ids of the span that it judges. Who gives
-- no id gets a hash of what is judged, by whom and how: the same event sent twice is one row.
-- What the sender does not say is told from what there is: user_feedback comes from a user.
-- Reads: raw_logs. Readers: feedback_v1.
create materialized view judge_feedback to feedback_v1 as
select
    * except (given_id, given_kind, given_source),
    if(given_id = '', lower(hex(sipHash128(
        trace_id, span_id, response_id, session_id, user_id, name, at, ifNull(toString(score), ''), label,
        comment, correction
    ))), given_id) as feedback_id,
    if(given_source = '' and name = 'user_feedback', 'user', given_source) as source,
    multiIf(
        given_kind != '', given_kind,
        correction != '', 'correction',
        label in ('up', 'down'), 'thumbs',
        isNotNull(score), 'score',
        label != '', 'label',
        error_type != '', 'error',
        'comment') as kind
from (
    select
        received_at, batch, writer, project, at, trace_id, span_id, service,
        attributes['gen_ai.response.id'] as response_id,
        if(attributes['session.id'] = '', attributes['gen_ai.conversation.id'], attributes['session.id'])
            as session_id,
        attributes['user.id'] as user_id, attributes['sightline.feature'] as feature,
        attributes['gen_ai.evaluation.name'] as name,
        if(isFinite(toFloat64OrNull(attributes['gen_ai.evaluation.score.value']) as number), number, null)
            as score,
        attributes['gen_ai.evaluation.score.label'] as label,
        attributes['gen_ai.evaluation.explanation'] as comment,
        attributes['sightline.feedback.correction'] as correction,
        attributes['error.type'] as error_type,
        attributes['sightline.feedback.id'] as given_id,
        attributes['sightline.feedback.kind'] as given_kind,
        attributes['sightline.feedback.source'] as given_source
    from raw_logs
    where event_name = 'gen_ai.evaluation.result')
