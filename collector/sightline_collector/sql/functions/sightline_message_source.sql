-- The JSON in which a request's or an answer's messages stand, under the names that providers use: a list,
-- one message or a text. What is no JSON is a text, and so is an object that has none of the names.
-- Reads: nothing. Readers: sightline_messages.
create or replace function sightline_message_source as (json, members) -> multiIf(
    JSONType(json) in ('Array', 'String'), json,
    hasAny(mapKeys(members), ['role', 'parts', 'lc', 'message']), json,
    arrayExists(holder -> mapContains(members, holder), [
        'messages', 'contents', 'choices', 'candidates', 'generations', 'replies', 'output', 'input',
        'prompt']),
    sightline_json_member(members, [
        'messages', 'contents', 'choices', 'candidates', 'generations', 'replies', 'output', 'input',
        'prompt']),
    -- Whatever else people have items of.
    position(members['items'], '"role"') > 0, members['items'],
    hasAny(mapKeys(members), ['content', 'text', 'tool_calls']), json,
    sightline_json_text(json))
