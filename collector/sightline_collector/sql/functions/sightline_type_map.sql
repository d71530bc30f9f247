-- The types of a slice of attributes, strings left out: they are the rule.
-- Reads: nothing. Readers: raw_spans, decoded_*.
create or replace function sightline_type_map as (keys, types, from_, count_) -> CAST(
    mapFilter((k, t) -> t != 'string',
        mapFromArrays(arraySlice(keys, from_, count_), arraySlice(types, from_, count_))),
    'Map(LowCardinality(String), LowCardinality(String))')
