-- The type of an AnyValue whose first byte is given, the protobuf tag of the member that is set.
-- Reads: nothing. Readers: spell_*.
create or replace function sightline_any_type as (tag) -> transform(
    tag, [10, 24, 33, 16, 58, 42, 50],
    ['string', 'int', 'double', 'bool', 'bytes', 'array', 'map'], 'empty')
