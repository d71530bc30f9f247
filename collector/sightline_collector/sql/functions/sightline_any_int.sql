-- The int64 of a varint: `low`, the number in its first 8 bytes, and the bits of bytes 9 and 10 when it is as
-- long as that: 56 to 62, and 63, the sign. Reads: nothing. Readers: sightline_whole_text,
-- sightline_any_json.
create or replace function sightline_any_int as (low, bytes_9_10) -> reinterpretAsInt64(bitOr(low, bitOr(
    bitShiftLeft(bitAnd(reinterpretAsUInt64(bytes_9_10), 0x7f), 56),
    bitShiftLeft(bitAnd(reinterpretAsUInt64(bytes_9_10), 0x100), 55))))
