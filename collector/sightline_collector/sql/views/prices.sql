-- Grain: one unit's price in one cell of one model's prices, as listed, in the newest export
-- Units: usd for `per` units; valid_from is a UTC day (NULL: for ever); from_second since UTC
--        midnight; above_input_tokens in tokens of the request. A line holds until a later one says
--        otherwise; a context without a line of its own is charged as the one with one key less. A
--        part (cache_read_tokens) is paid at its own price instead of its whole's; `everything` is
--        free
-- Reads: price_list_v1, price_exports_v1
-- Readers: people; the command line
create or replace view prices as
select
    provider,
    model,
    context,
    valid_from,
    from_second,
    above_input_tokens,
    unit,
    usd,
    per,
    source,
    price_id
from price_list_v1
where not repeats and model_number in (
    select arrayJoin(argMax(sold, export)) from price_exports_v1)
order by provider, model, price_id, unit;
