-- Squeezes a protobuf varint, up to 8 bytes of it as a little-endian UInt64, to the number that it encodes:
-- the continuation bit of each byte goes, its other 7 bits move together, by pairs, fours and eights.
-- Reads: nothing. Readers: sightline_whole_text, sightline_any_json.
create or replace function sightline_varint as (x) -> arrayMap(
    a -> arrayMap(
        b -> bitOr(bitAnd(b, 0xfffffff), bitShiftRight(bitAnd(b, 0xfffffff00000000), 4)),
        [bitOr(bitAnd(a, 0x3fff00003fff), bitShiftRight(bitAnd(a, 0x3fff00003fff0000), 2))])[1],
    [bitOr(bitAnd(x, 0x7f007f007f007f), bitShiftRight(bitAnd(x, 0x7f007f007f007f00), 1))])[1]
