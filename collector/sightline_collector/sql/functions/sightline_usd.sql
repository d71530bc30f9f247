-- An amount written as text: NULL when it is missing, negative, or no number. Units: USD, Decimal(18, 12).
-- Reads: nothing. Readers: mapped_spans.
create or replace function sightline_usd as (text) ->
    if(startsWith(text, '-'), null, toDecimal64OrNull(text, 12))
