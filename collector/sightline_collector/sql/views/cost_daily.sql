-- Grain: one UTC day of one project, provider, model and feature; model calls only (llm, embedding,
--        rerank)
-- Units: USD, tokens as counts; a call without a price is in unpriced_calls, unless it failed
--        before it used a token, and adds nothing to cost_usd, which is NULL when no call has a
--        price; tokens are NULL when no call reported them
-- Reads: spans_v1
-- Served by: usage_hourly
-- Readers: people; the web pages; dashboards
create or replace view cost_daily as
select
    toDate(toStartOfHour(s.started_at)) as day, s.provider as provider, s.model as model,
    s.feature as feature,
    sum(s.calls) as calls, sum(s.cost_usd) as cost_usd, sum(s.input_tokens) as input_tokens,
    sum(s.output_tokens) as output_tokens,
    sum(s.unpriced) as unpriced_calls,
    countIf(s.status = 'error') as errors, s.project as project
from spans_v1 as s
where sightline_model_call(s.operation)
group by project, day, provider, model, feature
having calls > 0
order by day, cost_usd desc nulls last, provider, model, feature
