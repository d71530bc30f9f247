-- What one call costs: each count times the price of one more of its unit, and a request's fee.
-- Units: Decimal(38, 18) USD; counts of at most a little over 10^12.
-- Reads: price_points, price_marginals. Readers: priced_spans.
create or replace function sightline_price_usd as (
    point, input, output, cache_read, cache_write, cache_write_1h, reasoning, rare
) ->
    dictGet('{database}.price_points', 'input', point) * input
    + dictGet('{database}.price_points', 'output', point) * output
    + dictGet('{database}.price_points', 'cache_read', point) * cache_read
    + dictGet('{database}.price_points', 'cache_write', point) * cache_write
    + dictGet('{database}.price_points', 'cache_write_1h', point) * cache_write_1h
    + dictGet('{database}.price_points', 'reasoning', point) * reasoning
    + dictGet('{database}.price_points', 'request', point)
    + sightline_price_rare_usd(point, rare)
