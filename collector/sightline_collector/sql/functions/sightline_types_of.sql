-- The types of attributes, strings left out: they are the rule. `types` are sightline_types'.
-- Reads: sightline_type. Readers: parted_spans, sightline_type_map.
create or replace function sightline_types_of as (keys, types) -> CAST(
    mapApply((k, t) -> (k, sightline_type(t)), mapFilter((k, t) -> t != 10, mapFromArrays(keys, types))),
    'Map(LowCardinality(String), LowCardinality(String))')
