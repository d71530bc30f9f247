-- A text as a JSON string, in which slashes stay as they are: what people search for is found.
-- Reads: nothing. Readers: sightline_flattened_entries, sightline_part, sightline_message and kin.
create or replace function sightline_json_text as (text) -> replaceAll(toJSONString(text), '\\/', '/')
