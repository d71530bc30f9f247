-- A part's members, those of the object that wraps what it says ({"function": {"name", "arguments"}}) and of
-- a source within that, and under $kind its kind. Reads: nothing. Readers: sightline_message.
create or replace function sightline_part_members as (part) -> arrayMap(
    (given, wrapped) -> mapConcat(
        given, sightline_json_members(wrapped), sightline_json_members(JSONExtractRaw(wrapped, 'source')),
        map('$kind', sightline_part_kind(if(
            mapContains(given, 'type'), JSONExtractString(given['type']),
            arrayFirst(name -> sightline_part_kind(name) != '', mapKeys(given)))))),
    [sightline_json_members(part)],
    arrayMap(
        given -> given[arrayFirst(
            (name, json) -> startsWith(json, '{') and sightline_part_kind(name) != '',
            mapKeys(given), mapValues(given))],
        [sightline_json_members(part)]))[1]
