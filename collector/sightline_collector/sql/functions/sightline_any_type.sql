-- The type of an AnyValue: string, int, double, bool, bytes, array, map, or empty when it has none.
-- Reads: nothing. Readers: decode_otlp_*.
create or replace function sightline_any_type as (v) -> multiIf(
    isNotNull(tupleElement(v, 'string_value')), 'string',
    isNotNull(tupleElement(v, 'int_value')), 'int',
    isNotNull(tupleElement(v, 'double_value')), 'double',
    isNotNull(tupleElement(v, 'bool_value')), 'bool',
    isNotNull(tupleElement(v, 'bytes_value')), 'bytes',
    isNotNull(tupleElement(v, 'array_value')), 'array',
    isNotNull(tupleElement(v, 'kvlist_value')), 'map',
    'empty')
