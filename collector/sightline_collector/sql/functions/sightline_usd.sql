-- An amount written as text: NULL when it is missing, negative, too large, or no number. It is rounded, as a
-- double's 8.999999999999999e-05 means 0.00009. Units: USD, Decimal(18, 12).
-- Reads: nothing. Readers: mapped_spans.
create or replace function sightline_usd as (text) ->
    if(startsWith(text, '-'), null,
        accurateCastOrNull(round(toDecimal128OrNull(text, 24), 12), 'Decimal(18, 12)'))
