-- Grain: one UTC day of one project, provider, model and feature; model calls only
-- Units: USD, tokens as counts; a call without a price is in unpriced_calls and adds nothing to cost_usd,
--        which is NULL when no call has a price
-- Reads: spans_v1
-- Served by: usage_hourly
-- Readers: people; the web pages; dashboards
create or replace view cost_daily as
with summed as (
    select
        project, toDate(toStartOfHour(started_at)) as day, provider, model, feature, count() as calls,
        countIf(status = 'error') as errors, countIf(isNull(cost_usd)) as unpriced_calls,
        sum(cost_usd) as cost, sum(input_tokens) as input, sum(output_tokens) as output
    from spans_v1
    where sightline_model_call(operation)
    group by project, day, provider, model, feature
)
select
    day, provider, model, feature, calls, cost as cost_usd, input as input_tokens,
    output as output_tokens, unpriced_calls, errors, project
from summed
order by day, cost_usd desc nulls last
