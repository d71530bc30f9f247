-- A string, number or bool AnyValue as text: strings as they are, numbers in decimal, true or false; for the
-- rest what is given. `tag` is its first byte, `head` its bytes 2 to 9 as a number: all of a double, the
-- varint of a bool or int, or of the length before a string; that one takes as many bytes as have their high
-- bit set, and one. Most are strings, and what stands under a condition is copied into it and out again: so
-- they are told apart from the rest first, alone. Reads: nothing. Readers: sightline_texts,
-- sightline_plain_texts.
create or replace function sightline_any_text as (v, tag, head, otherwise) -> if(
    tag = 10, substring(v, multiIf(
        bitAnd(head, 0x80) = 0, 3, bitAnd(head, 0x8000) = 0, 4, bitAnd(head, 0x800000) = 0, 5, 6)),
    multiIf(
        tag = 24, toString(sightline_any_int(sightline_varint(head), substring(v, 10, 2))),
        tag = 33, toString(reinterpretAsFloat64(head)),
        tag = 16, if(head = 0, 'false', 'true'),
        otherwise))
