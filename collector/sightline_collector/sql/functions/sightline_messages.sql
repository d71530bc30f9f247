-- The messages in a text, whatever wrote it, as OpenTelemetry's JSON: [{"role", "name", "finish_reason",
-- "parts"}]. A text that holds none is one message with one part of text; `role` is that of messages that
-- name none. It never throws; an empty text gives []. Reads: sightline_json_whole. Readers: messages.
create or replace function sightline_messages as (text, role) -> if(text = '', '[]', arrayMap(
    list -> concat('[', arrayStringConcat(arrayMap(
        (message, of) -> sightline_message(message, of, role),
        list, arrayMap(message -> sightline_message_members(message), list)), ','), ']'),
    arrayMap(
        (json, members) -> arrayConcat(
            sightline_message_system(members),
            sightline_message_list(sightline_message_source(json, members))),
        [sightline_json_unquoted(sightline_json_unquoted(sightline_json_whole(text))) as whole],
        [sightline_json_members(whole)]))[1])
