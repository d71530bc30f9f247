-- A part of a message, in any provider's words, as OpenTelemetry's; what is of no known kind stays as it is.
-- Reads: nothing. Readers: sightline_message.
create or replace function sightline_part as (part, members) -> multiIf(
    startsWith(part, '"'), concat('{"type":"text","content":', part, '}'),
    not startsWith(part, '{'), concat('{"type":"text","content":', sightline_json_text(part), '}'),
    members['$kind'] = 'text', concat(
        if(members['thought'] = 'true', '{"type":"reasoning","content":', '{"type":"text","content":'),
        sightline_json_said(sightline_json_member(members, ['content', 'text', 'refusal'])), '}'),
    members['$kind'] = 'reasoning', concat(
        '{"type":"reasoning","content":', sightline_json_said(sightline_json_member(members,
            ['content', 'thinking', 'reasoning', 'reasoningText', 'text', 'summary', 'data'])), '}'),
    members['$kind'] = 'call', concat(
        '{"type":"tool_call"',
        sightline_json_pair('id', sightline_json_member(members,
            ['call_id', 'toolCallId', 'tool_call_id', 'toolUseId', 'ref', 'id'])),
        sightline_json_pair('name', sightline_json_member(members, ['name', 'toolName', 'tool_name'])),
        sightline_json_pair('arguments', sightline_json_unquoted(sightline_json_member(members,
            ['arguments', 'args', 'input', 'parameters']))), '}'),
    members['$kind'] = 'response', concat(
        '{"type":"tool_call_response"',
        sightline_json_pair('id', sightline_json_member(members,
            ['call_id', 'toolCallId', 'tool_call_id', 'tool_use_id', 'toolUseId', 'ref', 'id'])),
        sightline_json_pair('response', sightline_json_unquoted(sightline_json_member(members,
            ['response', 'result', 'output', 'content']))), '}'),
    members['$kind'] = 'file' and not mapContains(members, 'modality')
        and startsWith(sightline_json_member(members, [
            'data', 'bytes', 'file_id', 'url', 'uri', 'fileUri', 'file_uri', 'image_url', 'image',
            'file_data']), '"'),
    sightline_part_file(
        members, sightline_json_member(members, [
            'data', 'bytes', 'file_id', 'url', 'uri', 'fileUri', 'file_uri', 'image_url', 'image',
            'file_data']),
        concat(left(part, 400), mapKeys(members)[1])),
    part)
