-- AnyValues as text: scalars as sightline_any_text has them, arrays and maps as JSON. Branches are lazy: only
-- what is nested is unfolded. Reads: sightline_any_text, sightline_nested_text.
-- Readers: spelled_logs, spelled_metrics.
create or replace function sightline_texts as (values_) -> arrayMap(
    v -> if(ascii(v) in (42, 50, 58), sightline_nested_text(v), sightline_any_text(v, ascii(v))),
    values_)
