-- One more member of a JSON object that is being written; nothing for a value that is not there.
-- Reads: nothing. Readers: sightline_part, sightline_part_file, sightline_message, sightline_message_parts.
create or replace function sightline_json_pair as (name, json) ->
    if(json = '', '', concat(',"', name, '":', json))
