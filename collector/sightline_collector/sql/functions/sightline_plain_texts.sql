-- AnyValues as text, but for what is nested: that is empty, and unfolded_spans fills it in.
-- Reads: sightline_any_text. Readers: spelled_spans.
create or replace function sightline_plain_texts as (values_) -> arrayMap(
    v -> sightline_any_text(v, ascii(v)), values_)
