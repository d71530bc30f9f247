-- Whether the counts of a call cannot all be true, where it has rare ones: parts that together exceed
-- their whole, an overlap of two parts that is not reported, a part without a whole that has a price.
-- Units: rare maps names of units to counts; columns are the counts of the six units named here.
-- Reads: price_lattices, price_units. Readers: price_spans.
create or replace function sightline_price_contradicts as (lattice, rare, columns) -> arrayMap(
    (rules, units, counts) ->
        arrayExists(
            (less, more) -> arraySum(unit -> counts[indexOf(units, unit)], less)
                < arraySum(unit -> counts[indexOf(units, unit)], more),
            rules.1, rules.2)
        or arrayExists(
            names -> not has(units, names[1])
                and counts[indexOf(units, names[2])] > 0 and counts[indexOf(units, names[3])] > 0,
            rules.3)
        or arrayExists(
            (part, count) -> arrayExists(
                whole -> has(rules.4, whole) and counts[indexOf(units, whole)] < count,
                dictGet('{database}.price_units', 'within', part)),
            units, counts),
    [dictGet('{database}.price_lattices', ('less', 'more', 'splits', 'priced'), lattice)],
    [arrayConcat(
        ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens',
            'cache_write_1h_tokens', 'output_reasoning_tokens'],
        mapKeys(rare))],
    [arrayConcat(columns, mapValues(rare))])[1]
