-- A measured number written as text: NULL when it is missing, negative, not finite or over 10^12.
-- Reads: nothing. Readers: mapped_spans.
create or replace function sightline_duration as (text) ->
    if(toFloat64OrNull(text) between 0 and 1e12, toFloat64OrNull(text), null)
