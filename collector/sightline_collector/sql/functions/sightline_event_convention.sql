-- By which convention an event tells of a model call, the newest first: 1 all in one event, 2 an event a
-- message, 3 an event a direction, 4 another. Who keeps several tells the same messages by each.
-- Reads: nothing. Readers: conversed_spans, messages, told_texts.
create or replace function sightline_event_convention as (event) -> multiIf(
    event = 'gen_ai.client.inference.operation.details', 1,
    event in ('gen_ai.content.prompt', 'gen_ai.content.completion'), 3,
    sightline_event_role(event) != '', 2,
    4)
