-- Whether the counts of a call cannot all be true: parts that exceed their whole together, an overlap
-- that cannot be split, a part that exceeds a whole or comes without one that has a price.
-- Units: rare maps the units without a column to counts, counts maps every unit.
-- Reads: price_lattices, price_units, price_marginals. Readers: price_spans.
create or replace function sightline_price_contradicts as (point, lattice, rare, counts) ->
    arrayExists(
        (less, more) -> arraySum(unit -> counts[unit], less) < arraySum(unit -> counts[unit], more),
        dictGet('{database}.price_lattices', 'less', lattice),
        dictGet('{database}.price_lattices', 'more', lattice))
    or arrayExists(
        (units) -> counts[units[2]] > 0 and counts[units[3]] > 0 and not mapContains(rare, units[1]),
        dictGet('{database}.price_lattices', 'splits', lattice))
    or arrayExists(
        (part, count) -> arrayExists(
            whole -> counts[whole] < count
                and (mapContains(counts, whole)
                    or dictHas('{database}.price_marginals', (point, whole))),
            dictGet('{database}.price_units', 'within', part)),
        mapKeys(rare), mapValues(rare))
