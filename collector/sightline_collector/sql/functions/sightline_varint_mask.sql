-- The bits of a varint at the low end of x, a little-endian UInt64: all up to the first byte without its high
-- bit, or all of x when there is none. Reads: nothing. Readers: sightline_any_json.
create or replace function sightline_varint_mask as (x) -> bitXor(
    bitAnd(bitNot(x), 0x8080808080808080), bitAnd(bitNot(x), 0x8080808080808080) - 1)
