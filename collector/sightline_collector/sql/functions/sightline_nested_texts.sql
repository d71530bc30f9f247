-- Those AnyValues that are arrays, maps or bytes, as text: JSON, or base64 for bytes; what cannot be unfolded
-- is {"$protobuf":"base64"}. `tags` are the values' first bytes.
-- Reads: sightline_any_json. Readers: spell_*.
create or replace function sightline_nested_texts as (values_, tags_) -> arrayMap(
    (json, v) -> multiIf(
        ascii(v) = 58, substring(json, 12, length(json) - 13),
        isValidJSON(json), json,
        concat('{"$protobuf":"', base64Encode(v), '"}')),
    arrayMap(v -> sightline_any_json(v), arrayFilter((v, t) -> t in (42, 50, 58), values_, tags_)),
    arrayFilter((v, t) -> t in (42, 50, 58), values_, tags_))
