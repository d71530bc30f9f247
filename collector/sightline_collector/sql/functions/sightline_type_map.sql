-- The types of a slice of attributes, strings left out: they are the rule. `types` are sightline_types'.
-- Reads: sightline_type. Readers: raw_spans, decoded_*.
create or replace function sightline_type_map as (keys, types, from_, count_) -> CAST(
    mapApply((k, t) -> (k, sightline_type(t)), mapFilter((k, t) -> t != 10,
        mapFromArrays(arraySlice(keys, from_, count_), arraySlice(types, from_, count_)))),
    'Map(LowCardinality(String), LowCardinality(String))')
