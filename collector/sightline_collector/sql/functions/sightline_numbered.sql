-- Places, each with its number in front of it: sorted, they stand in their order again.
-- Reads: nothing. Readers: gathered_spans.
create or replace function sightline_numbered as (places) ->
    arrayMap((place, nth) -> bitOr(bitShiftLeft(toUInt64(nth), 25), place), places, arrayEnumerate(places))
