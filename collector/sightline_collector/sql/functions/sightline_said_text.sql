-- The text of an AnyValue that is a string: its bytes without the tag and the length before it, which takes
-- as many bytes as have their high bit set, and one. Branches would copy: hence sums of conditions. Reads:
-- nothing. Readers: sightline_any_text, sightline_nested_text, parted_spans.
create or replace function sightline_said_text as (v) -> substring(v, 3
    + (bitAnd(reinterpretAsUInt64(v), 0x8000) != 0)
    + (bitAnd(reinterpretAsUInt64(v), 0x808000) = 0x808000)
    + (bitAnd(reinterpretAsUInt64(v), 0x80808000) = 0x80808000))
