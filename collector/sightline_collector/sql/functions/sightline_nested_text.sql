-- An array or map as JSON text; what cannot be unfolded is its bytes in base64, marked $protobuf.
-- Reads: sightline_any_json. Readers: decode_otlp_*.
create or replace function sightline_nested_text as (v) -> arrayMap((bytes, top) -> arrayMap(
        json -> if(isValidJSON(json), json, concat('{"$protobuf":"', base64Encode(bytes), '"}')),
        [sightline_any_json(bytes, top)])[1],
    [ifNull(coalesce(tupleElement(v, 'array_value'), tupleElement(v, 'kvlist_value')), '')],
    [if(isNull(tupleElement(v, 'array_value')), 3, 2)])[1]
