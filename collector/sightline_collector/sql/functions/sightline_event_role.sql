-- Who speaks in an event of a model call; '' for events that hold no message.
-- Reads: nothing. Readers: sightline_event_convention, sightline_event_text, sightline_event_moved,
-- conversed_spans, messages, told_texts.
create or replace function sightline_event_role as (event) -> transform(
    event,
    ['gen_ai.system.message', 'gen_ai.user.message', 'gen_ai.assistant.message', 'gen_ai.tool.message',
     'gen_ai.choice', 'gen_ai.content.prompt', 'gen_ai.content.completion',
     'gen_ai.client.inference.operation.details'],
    ['system', 'user', 'assistant', 'tool', 'assistant', 'user', 'assistant', 'assistant'], '')
