-- A scalar AnyValue as text: strings as they are, numbers in decimal, true or false, bytes in base64.
-- Empty for what is nested: sightline_any_json unfolds that. Reads: nothing. Readers: decode_otlp_*.
create or replace function sightline_any_text as (v) -> coalesce(
    tupleElement(v, 'string_value'),
    toString(tupleElement(v, 'int_value')),
    toString(tupleElement(v, 'double_value')),
    if(isNull(tupleElement(v, 'bool_value')), null,
        if(tupleElement(v, 'bool_value') != 0, 'true', 'false')),
    base64Encode(tupleElement(v, 'bytes_value')),
    '')
