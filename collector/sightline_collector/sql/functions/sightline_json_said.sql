-- What a JSON value says, as a JSON string: a text itself, of a list or an object the texts in it.
-- Reads: nothing. Readers: sightline_part.
create or replace function sightline_json_said as (json) -> multiIf(
    startsWith(json, '"'), json,
    startsWith(json, '['), sightline_json_text(arrayStringConcat(
        arrayMap(each -> JSONExtractString(each, 'text'), JSONExtractArrayRaw(json)), '\n')),
    startsWith(json, '{'), sightline_json_text(JSONExtractString(json, 'text')),
    sightline_json_text(json))
