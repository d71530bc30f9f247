-- Grain: one likely cause for which spans of one UTC day, project, provider and model report another cost
--        than the price list gives: apart by more than 1e-9 USD and by more than half a percent
-- Units: USD; difference_usd is reported less computed, ratio is reported by computed, NULL when nothing
--        was computed. likely_cause is '' when no known one fits
--        Only calls that are paid are compared, at the prices that they are charged now; what a gateway
--        answered from its cache cost nothing here and is left out
-- Reads: spans
-- Readers: people; the web pages
create or replace view cost_disagreements as
with
compared as (
    select
        project, toDate(started_at) as day, provider, model, operation, cost_status, price_source,
        reported_cost_usd as reported, cost_usd as computed,
        toFloat64(reported) as told, toFloat64(computed) as reckoned,
        sightline_price_count(input_tokens) as input, sightline_price_count(output_tokens) as output,
        sightline_price_count(cache_read_tokens) as cache_read,
        sightline_price_count(cache_write_tokens) as cache_write,
        sightline_price_count(cache_write_1h_tokens) as cache_write_1h,
        sightline_price_count(reasoning_tokens) as reasoning,
        toFloat64(sightline_price_usd(
            price_id, input, output, 0, 0, 0, reasoning, extra_usage)) as uncached,
        toFloat64(sightline_price_usd(
            price_id, input + cache_read + cache_write, output, cache_read, cache_write, cache_write_1h,
            reasoning, extra_usage)) as cache_twice,
        toFloat64(sightline_price_usd(
            price_id, input, output + reasoning, cache_read, cache_write, cache_write_1h, reasoning,
            extra_usage)) as reasoning_twice,
        arrayExists(pair -> pair like '%batch%', price_context) as is_batch
    from spans
    where counted > 0 and cost_status != 'cached_by_gateway'
        and reported_cost_usd is not null and cost_usd is not null
        and abs(reported_cost_usd - cost_usd) > 0.000000001
        and abs(toFloat64(reported_cost_usd) - toFloat64(cost_usd))
            > 0.005 * greatest(abs(toFloat64(reported_cost_usd)), abs(toFloat64(cost_usd)))
),
explained as (
    select
        *,
        multiIf(
            told = 0, 'the sender reports 0: it has no price for this model',
            reckoned = 0, 'the price list has this model as free, or the call as nothing that it counts',
            cache_read + cache_write > 0 and abs(told - uncached) <= 0.005 * told,
                'the sender reckons cached tokens at the full price of input',
            cache_read + cache_write > 0 and abs(told - cache_twice) <= 0.005 * told,
                'the sender counts cached tokens twice: as input and as cached',
            reasoning > 0 and abs(told - reasoning_twice) <= 0.005 * told,
                'the sender counts reasoning tokens twice: as output and as reasoning',
            not is_batch and abs(told - reckoned / 2) <= 0.005 * told,
                'the sender reckons half: a batch, if the span does not say so',
            is_batch and abs(told - reckoned * 2) <= 0.005 * told,
                'the sender reckons the full price of what the span says is a batch',
            abs(told - reckoned * 2) <= 0.005 * told,
                'the sender reckons double: priority processing, if the span does not say so',
            abs(told - reckoned * 1.1) <= 0.005 * told,
                'the sender reckons a tenth more: a regional endpoint, if the span does not say so',
            cost_status = 'estimated_tokens', 'the tokens here are estimates',
            cost_status = 'assumed', 'the price here is an assumption: the span names no known provider',
            '') as likely_cause
    from compared
)
select
    day, provider, model, likely_cause, count() as calls,
    sum(reported) as reported_usd, sum(computed) as computed_usd,
    reported_usd - computed_usd as difference_usd,
    if(computed_usd = 0, null, toFloat64(reported_usd) / toFloat64(computed_usd)) as ratio, project
from explained
group by project, day, provider, model, likely_cause
order by day, abs(difference_usd) desc, provider, model, likely_cause
