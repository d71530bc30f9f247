-- Grain: one unit's price in one cell of one model's prices, in every export that was ever loaded
-- Units: usd for `per` units; valid_from is a UTC day, from which (and from_second of each day, and
--        above so many input tokens) the price holds until a later line says otherwise; price_id is
--        that of spans; listed_at in UTC. override, set_by and note are those of what changed the
--        published price, '' when nothing did
-- Reads: price_list_v1, price_overrides_v1
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
    source,
    override,
    listed_at,
    -- NULL instead of nothing when the reader's joins say so.
    ifNull(o.set_by, '') as set_by,
    ifNull(o.note, '') as note
from price_list_v1 as l
left join (
    select id, argMax(set_by, set_at) as set_by, argMax(note, set_at) as note
    from price_overrides_v1
    group by id
) as o on l.override = o.id;
