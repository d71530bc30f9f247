-- A part's members, those of the object that wraps what it says ({"function": {"name", "arguments"}}), and
-- under $kind its kind. Reads: nothing. Readers: sightline_message.
create or replace function sightline_part_members as (part) -> arrayMap(
    given -> mapConcat(
        given,
        sightline_json_members(given[arrayFirst(
            (name, json) -> startsWith(json, '{') and sightline_part_kind(name) != '',
            mapKeys(given), mapValues(given))]),
        map('$kind', sightline_part_kind(if(
            mapContains(given, 'type'), JSONExtractString(given['type']),
            arrayFirst(name -> sightline_part_kind(name) != '', mapKeys(given)))))),
    [sightline_json_members(part)])[1]
