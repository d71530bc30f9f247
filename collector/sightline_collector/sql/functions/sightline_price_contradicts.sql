-- Whether the rare counts of a call cannot all be true: parts that together exceed their whole, a
-- part without a whole that has a price, an overlap of two parts that is not reported. All is asked
-- of each rare unit that was reported, so a call without any costs nothing.
-- Units: rare maps names of units to counts; columns are the counts of the units that have a
--     column, in the order of sightline_price_reported.
-- Reads: price_checks. Readers: priced_spans.
create or replace function sightline_price_contradicts as (lattice, columns, rare) -> arrayExists(
    (part, count) ->
        arrayExists(
            (units, weights) -> arraySum(
                (unit, weight) -> sightline_price_reported(unit, columns, rare) * weight,
                units, weights) < 0,
            dictGet('{database}.price_checks', 'units', (lattice, part)),
            dictGet('{database}.price_checks', 'weights', (lattice, part)))
        or count > 0 and arrayExists(
            (join, other) -> sightline_price_reported(other, columns, rare) > 0
                and not mapContains(rare, join),
            dictGet('{database}.price_checks', 'joins', (lattice, part)),
            dictGet('{database}.price_checks', 'others', (lattice, part))),
    mapKeys(rare), mapValues(rare))
