-- Grain: one setting of an override of published prices; the newest of an id has no replaced_at and holds
-- Units: UTC; valid_until is the first day on which it does not hold, NULL when it has no end; charge says in
--        words what is charged; provider '' is whoever sells no such model, a model may end in *
-- Reads: price_overrides_v1
-- Readers: people; the command line
create or replace view price_overrides as
select
    id, provider, model,
    multiIf(
        isNotNull(discount_pct), concat(toString(discount_pct), ' % off the published price'),
        isNotNull(usd_per_gpu_hour), concat(
            toString(gpus), ' GPUs at ', toString(usd_per_gpu_hour), ' USD an hour for ',
            toString(tokens_per_second), ' tokens a second'),
        arrayStringConcat(
            arrayMap(
                (unit, usd) -> concat(unit, ' ', toString(usd)),
                mapKeys(prices), mapValues(prices)), ', ')) as charge,
    valid_from, valid_until, note, set_by, set_at,
    nullIf(
        leadInFrame(set_at) over (
            partition by id order by set_at rows between unbounded preceding and unbounded following),
        toDateTime64(0, 6, 'UTC')) as replaced_at
from price_overrides_v1
order by provider, model, valid_from, set_at
