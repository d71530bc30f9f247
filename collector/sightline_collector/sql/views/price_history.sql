-- Grain: one unit's price in one cell of one model's prices, in every export that was ever loaded
-- Units: usd for `per` units; valid_from is a UTC day, from which (and from_second of each day, and
--        above so many input tokens) the price holds until a later line says otherwise; price_id is
--        that of spans
-- Reads: price_list_v1
-- Readers: people who ask why an old span cost what it cost
create or replace view price_history as
select
    price_id,
    provider,
    model,
    context,
    valid_from,
    from_second,
    above_input_tokens,
    unit,
    usd,
    per,
    source
from price_list_v1;
