-- The types of AnyValues: string, int, double, bool, bytes, array, map, or empty for one that has none. The
-- first byte says it: the protobuf tag of the member that is set. Reads: nothing. Readers: spelled_*.
create or replace function sightline_types as (values_) -> arrayMap(
    v -> transform(
        ascii(v), [10, 24, 33, 16, 58, 42, 50],
        ['string', 'int', 'double', 'bool', 'bytes', 'array', 'map'], 'empty'),
    values_)
