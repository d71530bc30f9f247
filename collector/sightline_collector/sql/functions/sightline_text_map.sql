-- The slice [from, from + count) of parallel arrays of keys and texts as an attribute map.
-- Reads: nothing. Readers: raw_spans, decoded_*.
create or replace function sightline_text_map as (keys, texts, from_, count_) -> CAST(
    (arraySlice(keys, from_, count_), arraySlice(texts, from_, count_)),
    'Map(LowCardinality(String), String)')
