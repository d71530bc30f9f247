-- Grain: one user of one project, over all retained time; model calls only
-- Units: USD, tokens as counts; a call without a price is in unpriced_calls and adds nothing to cost_usd,
--        which is NULL when no call has a price. User '' is that of calls which name none
-- Reads: spans_v1
-- Served by: usage_by_user
-- Readers: people; the web pages; dashboards; the command line
create or replace view cost_by_user as
with summed as (
    select
        project, user_id, count() as calls, countIf(status = 'error') as errors,
        countIf(isNull(cost_usd)) as unpriced_calls, sum(cost_usd) as cost,
        sum(input_tokens) as input, sum(output_tokens) as output,
        sum(cache_read_tokens) as cache_read,
        min(started_at) as first_call_at, max(started_at) as last_call_at
    from spans_v1
    where sightline_model_call(operation)
    group by project, user_id
)
select
    user_id, calls, cost as cost_usd,
    input as input_tokens, output as output_tokens, unpriced_calls,
    cache_read as cache_read_tokens, errors,
    cost / nullIf(calls - unpriced_calls, 0) as cost_per_call_usd,
    first_call_at, last_call_at, project
from summed
order by cost_usd desc nulls last, user_id
