-- The text of an AnyValue that is an int, in decimal.
-- Reads: sightline_any_int, sightline_varint. Readers: sightline_any_text, parted_spans.
create or replace function sightline_whole_text as (v) -> toString(sightline_any_int(
    sightline_varint(reinterpretAsUInt64(substring(v, 2, 8))), substring(v, 10, 2)))
