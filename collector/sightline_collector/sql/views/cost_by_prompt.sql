-- Grain: one version of one prompt of one project, over all retained time; model calls only
-- Units: USD, tokens as counts; a call without a price is in unpriced_calls and adds nothing to cost_usd,
--        which is NULL when no call has a price. Prompt '' is that of calls which name none
-- Reads: spans_v1
-- Served by: usage_hourly
-- Readers: people; the web pages
create or replace view cost_by_prompt as
with summed as (
    select
        project, prompt_name, prompt_version, count() as calls, countIf(status = 'error') as errors,
        countIf(isNull(cost_usd)) as unpriced_calls, sum(cost_usd) as cost,
        sum(input_tokens) as input, sum(output_tokens) as output,
        sum(cache_read_tokens) as cache_read, sum(cache_write_tokens) as cache_write,
        sum(reasoning_tokens) as reasoning,
        min(started_at) as first_call_at, max(started_at) as last_call_at
    from spans_v1
    where sightline_model_call(operation)
    group by project, prompt_name, prompt_version
)
select
    prompt_name, prompt_version, calls, cost as cost_usd,
    input as input_tokens, output as output_tokens, unpriced_calls,
    cache_read as cache_read_tokens, cache_write as cache_write_tokens,
    reasoning as reasoning_tokens, errors,
    cost / nullIf(calls - unpriced_calls, 0) as cost_per_call_usd,
    first_call_at, last_call_at, project
from summed
order by cost_usd desc nulls last, prompt_name, prompt_version
