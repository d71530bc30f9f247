-- For how many spans one stands, written as text: from 1 to 10^6, and 1 for whatever is no such number.
-- Reads: nothing. Readers: mapped_spans.
create or replace function sightline_weight as (text) -> if(
    text = '', 1,
    ifNull(if(toFloat64OrNull(text) between 1 and 1e6, toFloat64OrNull(text), null), 1))
