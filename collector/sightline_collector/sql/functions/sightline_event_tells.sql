-- Whether a log record tells messages of a model call, by its name: AWS's distribution names such records after
-- their scope. Reads: nothing. Readers: messages, told_texts.
create or replace function sightline_event_tells as (event, scope) ->
    event = scope and event != '' or event in (
        'gen_ai.system.message', 'gen_ai.user.message', 'gen_ai.assistant.message',
        'gen_ai.tool.message', 'gen_ai.choice', 'gen_ai.content.prompt', 'gen_ai.content.completion',
        'gen_ai.client.inference.operation.details')
