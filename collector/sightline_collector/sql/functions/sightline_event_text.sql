-- What an event of a model call says of its input or of its output, as text that holds messages; '' for
-- other events. `body` is that of a log record, '' for a span's event: the content may stand there, in the
-- attribute gen_ai.event.content, or in attributes of its own. A record of AWS's distribution is named after
-- its scope, and its body holds both directions.
-- Reads: nothing. Readers: conversed_spans, messages, told_texts.
create or replace function sightline_event_text as (direction, event, attributes, body) -> multiIf(
    event = 'gen_ai.client.inference.operation.details', if(
        mapContains(attributes, concat('gen_ai.', direction, '.messages')),
        attributes[concat('gen_ai.', direction, '.messages')],
        JSONExtractRaw(body, concat('gen_ai.', direction, '.messages'))),
    body != '' and sightline_event_role(event) = '', JSONExtractRaw(body, direction, 'messages'),
    direction != if(event in ('gen_ai.choice', 'gen_ai.content.completion'), 'output', 'input')
        or sightline_event_role(event) = '', '',
    event = 'gen_ai.content.prompt' and mapContains(attributes, 'gen_ai.prompt'), attributes['gen_ai.prompt'],
    event = 'gen_ai.content.completion' and mapContains(attributes, 'gen_ai.completion'),
    attributes['gen_ai.completion'],
    mapContains(attributes, 'gen_ai.event.content'), attributes['gen_ai.event.content'],
    body != '', body,
    toJSONString(attributes))
