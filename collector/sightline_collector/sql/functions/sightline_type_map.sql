-- The types of a slice of attributes, as sightline_types_of has them.
-- Reads: sightline_types_of. Readers: raw_spans, decoded_*.
create or replace function sightline_type_map as (keys, types, from_, count_) -> sightline_types_of(
    arraySlice(keys, from_, count_), arraySlice(types, from_, count_))
