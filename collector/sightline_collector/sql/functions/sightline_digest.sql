-- One percentile of a t-digest, to the microsecond; NULL when nothing was measured (the digest says NaN).
-- Reads: nothing. Readers: views.
create or replace function sightline_digest as (percentiles, place) ->
    if(isNaN(percentiles[place]), null, round(toFloat64(percentiles[place]), 3))
