-- JSON that was written as a JSON string, itself: "{\"a\":1}" is {"a":1}. Anything else stays as it is.
-- Reads: nothing. Readers: sightline_part, sightline_message_members, sightline_messages.
create or replace function sightline_json_unquoted as (json) -> if(
    match(left(json, 32), '^"\\s*(\\[|\\{|\\\\")') and isValidJSON(JSONExtractString(json)),
    JSONExtractString(json), json)
