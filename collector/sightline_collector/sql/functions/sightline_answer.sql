-- What a model answered, where its text, its reasoning and its calls stand in attributes beside each other
-- (the AI SDK's, LiveKit's), as one list of parts; any other output is itself. `key` is where it stood.
-- Reads: nothing. Readers: messages.
create or replace function sightline_answer as (key, output, attributes) -> if(
    key not in (
        'ai.response.text', 'ai.response.object', 'ai.response.toolCalls', 'lk.response.text',
        'lk.pii.response.text'),
    output,
    arrayMap(
        (reasoning, calls) -> if(reasoning = '' and calls in ('', '[]', output), output, concat(
            '[', arrayStringConcat(
                arrayFilter(part -> part != '', [
                    if(reasoning = '', '', concat('{"thinking":', sightline_json_text(reasoning), '}')),
                    if(calls = output, '', sightline_json_text(output)),
                    multiIf(
                        calls = '', '',
                        startsWith(calls, '[') and isValidJSON(calls), substring(calls, 2, length(calls) - 2),
                        sightline_json_text(calls))]),
                ','),
            ']')),
        [attributes['ai.response.reasoning']],
        [if(key = 'ai.response.toolCalls', output, attributes[transform(
            key,
            ['ai.response.text', 'ai.response.object', 'lk.response.text', 'lk.pii.response.text'],
            ['ai.response.toolCalls', 'ai.response.toolCalls', 'lk.response.function_calls',
             'lk.pii.response.function_calls'],
            '')])])[1])
