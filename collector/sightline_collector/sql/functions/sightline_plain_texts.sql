-- AnyValues as text, but for what is nested: as sightline_other_text has it.
-- Reads: sightline_any_text. Readers: parted_spans.
create or replace function sightline_plain_texts as (values_) -> arrayMap(
    v -> sightline_any_text(v, ascii(v)), values_)
