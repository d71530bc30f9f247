-- The text of an AnyValue that is neither a string nor an int: a number in decimal, true or false, an array
-- of one short string as JSON, for it is the most frequent; empty for what else is nested, which
-- unfolded_spans fills in. `tag` is its first byte. Reads: sightline_one_short. Readers:
-- sightline_any_text, parted_spans.
create or replace function sightline_other_text as (v, tag) -> multiIf(
    tag = 33, toString(reinterpretAsFloat64(substring(v, 2, 8))),
    tag = 16, if(reinterpretAsUInt64(substring(v, 2, 8)) = 0, 'false', 'true'),
    sightline_one_short(v), concat('[', toJSONString(substring(v, 7)), ']'),
    '')
