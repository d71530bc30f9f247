-- What sightline_types calls by number: string, int, double, bool, bytes, array, map, or empty.
-- Reads: nothing. Readers: sightline_type_map, decoded_logs.
create or replace function sightline_type as (number) -> transform(
    number, [10, 24, 33, 16, 58, 42, 50],
    ['string', 'int', 'double', 'bool', 'bytes', 'array', 'map'], 'empty')
