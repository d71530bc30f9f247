-- The attributes of an event that tell the messages of the directions that are `silent` otherwise, where
-- sightline_event_text finds them: '*' for all of them.
-- Reads: nothing. Readers: conversed_spans.
create or replace function sightline_event_moved as (silent, event, attributes) -> multiIf(
    event = 'gen_ai.client.inference.operation.details',
    arrayMap(direction -> concat('gen_ai.', direction, '.messages'), silent),
    sightline_event_role(event) = '' or not has(
        silent, if(event in ('gen_ai.choice', 'gen_ai.content.completion'), 'output', 'input')), [],
    event = 'gen_ai.content.prompt' and mapContains(attributes, 'gen_ai.prompt'), ['gen_ai.prompt'],
    event = 'gen_ai.content.completion' and mapContains(attributes, 'gen_ai.completion'),
    ['gen_ai.completion'],
    mapContains(attributes, 'gen_ai.event.content'), ['gen_ai.event.content'],
    ['*'])
