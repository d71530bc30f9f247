-- An AnyValue that is an array, a map or bytes, as text: JSON; bytes as what they spell, or base64 where that
-- is no text; what cannot be unfolded is {"$protobuf":"base64"}.
-- Reads: sightline_any_json, sightline_said_text. Readers: sightline_texts, sightline_filled_texts.
create or replace function sightline_nested_text as (v) -> if(
    ascii(v) = 58,
    arrayMap(
        bytes -> if(
            isValidUTF8(bytes) and not match(bytes, '[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f]'),
            bytes, base64Encode(bytes)),
        [sightline_said_text(v)])[1],
    arrayMap(
        json -> if(isValidJSON(json), json, concat('{"$protobuf":"', base64Encode(v), '"}')),
        [sightline_any_json(v)])[1])
