-- Texts of which those of arrays, maps and bytes, left empty by sightline_other_text, are filled in.
-- Reads: sightline_nested_text. Readers: unfolded_spans.
create or replace function sightline_filled_texts as (texts, values_) -> arrayMap(
    (text, v) -> if(text = '' and ascii(v) in (42, 50, 58), sightline_nested_text(v), text),
    texts, values_)
