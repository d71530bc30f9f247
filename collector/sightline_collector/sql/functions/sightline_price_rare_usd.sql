-- What the rare units of a call cost: audio, images, searches ...
-- Units: Decimal(38, 18) USD; usage maps a unit's name to a count, of which 10^12 are looked at.
-- Reads: price_marginals. Readers: priced_spans.
create or replace function sightline_price_rare_usd as (point, usage) -> if(
    empty(usage),
    toDecimal128(0, 18),
    arraySum(
        (unit, count) -> cast(
            dictGet('{database}.price_marginals', 'usd', (point, unit)) * if(count = 0, 0, greatest(
                least(count, 1000000000001),
                dictGet('{database}.price_marginals', 'at_least', (point, unit)))),
            'Decimal(38, 18)'),
        mapKeys(usage), mapValues(usage)))
