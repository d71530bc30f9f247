-- Grain: one version of one prompt of one project, over all retained time; model calls only (llm,
--        embedding, rerank)
-- Units: USD, tokens as counts; a call without a price is in unpriced_calls, unless it failed
--        before it used a token, and adds nothing to cost_usd, which is NULL when no call has a
--        price; tokens are NULL when no call reported them. Prompt '' is that of the calls which
--        name none
-- Reads: spans_v1
-- Served by: usage_hourly
-- Readers: people; the web pages
create or replace view cost_by_prompt as
select
    s.prompt_name as prompt_name, s.prompt_version as prompt_version,
    sum(s.calls) as calls, sum(s.cost_usd) as cost_usd,
    sum(s.input_tokens) as input_tokens, sum(s.output_tokens) as output_tokens,
    sum(s.unpriced) as unpriced_calls,
    sum(s.cache_read_tokens) as cache_read_tokens,
    sum(s.cache_write_tokens) as cache_write_tokens, sum(s.reasoning_tokens) as reasoning_tokens,
    countIf(s.status = 'error') as errors,
    sum(s.cost_usd) / nullIf(sum(s.priced), 0) as cost_per_call_usd,
    min(s.started_at) as first_call_at, max(s.started_at) as last_call_at, s.project as project
from spans_v1 as s
where sightline_model_call(s.operation)
group by project, prompt_name, prompt_version
having calls > 0
order by cost_usd desc nulls last, prompt_name, prompt_version
