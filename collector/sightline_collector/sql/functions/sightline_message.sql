-- A message, in any provider's words, as OpenTelemetry's: {"role", "name", "finish_reason", "parts"}.
-- `members` are its own; one that names no role has the role `otherwise`.
-- Reads: nothing. Readers: sightline_messages.
create or replace function sightline_message as (message, members, otherwise) -> arrayMap(
    (speaker, content) -> concat(
        '{"role":', sightline_json_text(speaker),
        sightline_json_pair('name', if(mapContains(members, 'role'), members['name'], '')),
        sightline_json_pair('finish_reason', sightline_json_member(
            members, ['finish_reason', 'finishReason', 'stop_reason', 'stopReason'])),
        ',"parts":[', arrayMap(
            parts -> arrayStringConcat(arrayMap(
                (part, its) -> sightline_part(part, its),
                parts, arrayMap(part -> sightline_part_members(part), parts)), ','),
            [sightline_message_parts(message, members, speaker, content)])[1], ']}'),
    [coalesce(
        nullIf(sightline_message_role(JSONExtractString(members['role'])), ''),
        nullIf(sightline_message_role(JSONExtractString(members['type'])), ''),
        nullIf(sightline_message_role(JSONExtractString(members['id'], -1)), ''),
        nullIf(lower(JSONExtractString(members['role'])), ''),
        otherwise)],
    [multiIf(
        mapContains(members, 'parts'), members['parts'],
        -- AWS's distribution wraps the attributes of an event.
        startsWith(JSONExtractRaw(members['content'], 'content'), '"[{'),
        JSONExtractRaw(members['content'], 'content'),
        startsWith(JSONExtractRaw(members['content'], 'message'), '"[{'),
        JSONExtractRaw(members['content'], 'message'),
        mapContains(members, 'content') and not JSONHas(members['content'], 'parts'), members['content'],
        startsWith(members['message'], '"'), members['message'],
        members['text'])])[1]
