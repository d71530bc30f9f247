-- A count written as text, '120' or '120.0': NULL when it is not a whole number that fits.
-- Reads: nothing. Readers: map_spans.
create or replace function sightline_count as (text) -> accurateCastOrNull(toFloat64OrNull(text), 'UInt64')
