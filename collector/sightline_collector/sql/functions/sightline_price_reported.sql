-- How much of a unit a call reported, 0 when it did not.
-- Units: the unit's own; columns are the counts of the units named here, rare maps the others.
-- Reads: nothing. Readers: sightline_price_contradicts.
create or replace function sightline_price_reported as (unit, columns, rare) ->
    rare[unit] + columns[indexOf(
        ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens',
            'cache_write_1h_tokens', 'output_reasoning_tokens'], unit)]
