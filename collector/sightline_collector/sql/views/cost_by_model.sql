-- Grain: one model of one project, over all retained time; model calls only (llm, embedding, rerank)
-- Units: USD, tokens as counts; a call without a price is in unpriced_calls, unless it failed
--        before it used a token, and adds nothing to cost_usd, which is NULL when no call of the
--        model has a price. `provider` lists all that served the model
-- Reads: spans_v1
-- Served by: usage_hourly
-- Readers: people; the web pages; dashboards; the command line
create or replace view cost_by_model as
with by_provider as (
    select
        project, provider, model, sum(calls) as counted, countIf(status = 'error') as errors,
        sum(unpriced) as without_price, sum(cost_usd) as cost, sum(priced) as with_price,
        sum(input_tokens) as input, sum(output_tokens) as output,
        sum(cache_read_tokens) as cache_read, sum(cache_write_tokens) as cache_write,
        sum(reasoning_tokens) as reasoning,
        min(started_at) as first_at, max(started_at) as last_at
    from spans_v1
    where sightline_model_call(operation)
    group by project, provider, model
)
select
    model, sum(counted) as calls, sum(cost) as cost_usd,
    sum(input) as input_tokens, sum(output) as output_tokens, sum(without_price) as unpriced_calls,
    arrayStringConcat(arraySort(groupArray(provider)), ', ') as provider,
    sum(cache_read) as cache_read_tokens, sum(cache_write) as cache_write_tokens,
    sum(reasoning) as reasoning_tokens, sum(errors) as errors,
    cost_usd / nullIf(sum(with_price), 0) as cost_per_call_usd,
    min(first_at) as first_call_at, max(last_at) as last_call_at, project
from by_provider
group by project, model
having calls > 0
order by cost_usd desc nulls last, model
