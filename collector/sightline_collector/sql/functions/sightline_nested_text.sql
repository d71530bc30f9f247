-- An AnyValue that is an array, a map or bytes, as text: JSON, or base64 for bytes; what cannot be unfolded is
-- {"$protobuf":"base64"}. Reads: sightline_any_json. Readers: sightline_texts.
create or replace function sightline_nested_text as (v) -> arrayMap(
    json -> multiIf(
        ascii(v) = 58, substring(json, 12, length(json) - 13),
        isValidJSON(json), json,
        concat('{"$protobuf":"', base64Encode(v), '"}')),
    [sightline_any_json(v)])[1]
