-- AnyValues as text: scalars as sightline_any_text has them, an array of one short string as JSON, for it is
-- the most frequent; empty for what else is nested, which unfolded_spans fills in.
-- Reads: sightline_any_text, sightline_one_short. Readers: spelled_spans.
create or replace function sightline_plain_texts as (values_) -> arrayMap(
    v -> sightline_any_text(
        v, ascii(v), reinterpretAsUInt64(substring(v, 2, 8)),
        if(sightline_one_short(v), concat('[', toJSONString(substring(v, 7)), ']'), '')),
    values_)
