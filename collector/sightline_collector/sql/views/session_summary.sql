-- Grain: one session of one project; spans without a session are left out
-- Units: USD, tokens as counts, ms, UTC. duration_ms is from the first start to the last start. Tokens
--        and money are of model calls only, NULL when none has any. spans are those that were sent: of what
--        a sampler thinned, roots, model calls and failures
-- Filter by session_id or started_at: both are served by indexes. A read of all, or by other columns, groups
--        every span: seconds for ten million
-- Reads: spans_v1
-- Readers: people; the web pages
create or replace view session_summary as
with totals as (
    select
        s.project as project, s.session_id as session_id,
        min(s.started_at) as began_at, max(s.started_at) as last_seen_at,
        argMinIf(s.user_id, s.started_at, s.user_id != '') as user_id,
        uniqExact(s.trace_id) as traces, countIf(s.entry = 'span') as spans,
        sumIf(s.calls, sightline_model_call(s.operation)) as model_calls, countIf(s.status = 'error') as errors,
        sumIf(s.input_tokens, sightline_model_call(s.operation)) as input_tokens,
        sumIf(s.output_tokens, sightline_model_call(s.operation)) as output_tokens,
        sumIf(s.cost_usd, sightline_model_call(s.operation)) as cost_usd,
        sumIf(s.unpriced, sightline_model_call(s.operation)) as unpriced_calls
    from spans_v1 as s
    where s.session_id != ''
    group by project, session_id
)
select
    t.session_id as session_id, first.started_at as started_at, t.last_seen_at as last_seen_at,
    (toUnixTimestamp64Nano(t.last_seen_at) - toUnixTimestamp64Nano(first.started_at)) / 1000000.
        as duration_ms,
    t.user_id as user_id, t.traces as traces, t.spans as spans, t.model_calls as model_calls,
    t.errors as errors, t.input_tokens as input_tokens, t.output_tokens as output_tokens,
    t.cost_usd as cost_usd, t.unpriced_calls as unpriced_calls, first.project as project
from totals as t
-- The first span of each session stands on the right, where the engine begins: when it is asked for by its
-- time, few are read, and they narrow which sessions are.
inner any join spans_v1 as first
    on first.project = t.project and first.session_id = t.session_id and first.started_at = t.began_at
order by started_at desc, session_id
