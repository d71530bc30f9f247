-- A message's members, after those of the message that it wraps: a choice's message, a candidate's content,
-- the kwargs or the data of a serialised one. Reads: nothing. Readers: sightline_messages.
create or replace function sightline_message_members as (message) -> arrayMap(
    (members, inner) -> mapConcat(sightline_json_members(multiIf(
        JSONHas(inner, 'kwargs'), JSONExtractRaw(inner, 'kwargs'),
        startsWith(inner, '{'), inner,
        startsWith(members['kwargs'], '{'), members['kwargs'],
        startsWith(members['data'], '{') and mapContains(members, 'type'), members['data'],
        JSONHas(members['content'], 'parts'), members['content'],
        '')), members),
    [sightline_json_members(message)],
    [sightline_json_unquoted(JSONExtractRaw(message, 'message'))])[1]
