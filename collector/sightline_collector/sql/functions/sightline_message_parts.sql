-- What a message says, in parts as its sender wrote them: the whole of it when it is a part itself, a tool's
-- answer, or its reasoning, content, refusal and tool calls. 1,000 parts and 1,000 calls at most.
-- Reads: nothing. Readers: sightline_message.
create or replace function sightline_message_parts as (message, members, speaker, content) -> multiIf(
    empty(members), [message],
    content = '' and not hasAny(
        mapKeys(members), ['role', 'tool_calls', 'toolCalls', 'function_call', 'refusal']),
    [if(mapContains(members, 'type'), message, sightline_json_text(message))],
    speaker = 'tool' and content != ''
        and startsWith(sightline_json_member(members, ['tool_call_id', 'toolCallId', 'id']), '"'),
    [concat(
        '{"type":"tool_call_response"',
        sightline_json_pair('id', sightline_json_member(members, ['tool_call_id', 'toolCallId', 'id'])),
        sightline_json_pair('response', content), '}')],
    arrayConcat(
        if(
            startsWith(sightline_json_member(members, ['reasoning_content', 'reasoning']), '"'),
            [concat('{"thinking":', sightline_json_member(members, ['reasoning_content', 'reasoning']), '}')],
            []),
        multiIf(
            content in ('', '""'), [],
            -- Flattened, a list of parts is the text of one.
            startsWith(content, '[{"type":"text","content":"[{\\"type\\":')
                and isValidJSON(JSONExtractString(content, 1, 'content')),
            arraySlice(arrayConcat(
                JSONExtractArrayRaw(JSONExtractString(content, 1, 'content')),
                arraySlice(JSONExtractArrayRaw(content), 2)), 1, 1000),
            startsWith(content, '['), arraySlice(JSONExtractArrayRaw(content), 1, 1000),
            startsWith(content, '"[{') and isValidJSON(JSONExtractString(content)),
            arraySlice(JSONExtractArrayRaw(JSONExtractString(content)), 1, 1000),
            [content]),
        if(mapContains(members, 'refusal'), [members['refusal']], []),
        -- Where the content holds the calls, LangChain repeats them.
        if(
            position(content, '"tool_use"') > 0, [],
            arraySlice(JSONExtractArrayRaw(sightline_json_unquoted(
                sightline_json_member(members, ['tool_calls', 'toolCalls']))), 1, 1000)),
        if(
            mapContains(members, 'function_call'),
            [concat('{"function_call":', members['function_call'], '}')], [])))
