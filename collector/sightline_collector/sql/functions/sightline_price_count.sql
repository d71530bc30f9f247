-- A count that arithmetic can trust: 0 when not reported, and never more than just above 10^12, so
-- that no sum of them wraps and no product overflows.
-- Units: the count's own. Reads: nothing. Readers: priced_spans.
create or replace function sightline_price_count as (count) ->
    least(ifNull(count, 0), 1000000000001)
