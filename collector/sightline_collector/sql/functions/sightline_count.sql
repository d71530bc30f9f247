-- A count written as text, '120' or '120.0': NULL when it is not a whole number from 0 to 10^12, which no
-- call reaches and whose sums cannot wrap. Reads: nothing. Readers: mapped_spans.
create or replace function sightline_count as (text) -> accurateCastOrNull(
    if(toFloat64OrNull(text) between 0 and 1e12, toFloat64OrNull(text), null), 'Int64')
