-- Grain: one session of one project; spans without a session are left out
-- Units: USD, tokens as counts, ms, UTC. duration_ms is from the first start to the last start. Tokens
--        and money are of model calls only, NULL when none has any
-- Reads: spans_v1
-- Readers: people; the web pages
create or replace view session_summary as
select
    s.session_id as session_id, min(s.started_at) as started_at, max(s.started_at) as last_seen_at,
    (toUnixTimestamp64Nano(last_seen_at) - toUnixTimestamp64Nano(started_at)) / 1000000. as duration_ms,
    argMinIf(s.user_id, s.started_at, s.user_id != '') as user_id,
    uniqExact(s.trace_id) as traces, count() as spans,
    countIf(sightline_model_call(s.operation)) as model_calls, countIf(s.status = 'error') as errors,
    sumIf(s.input_tokens, sightline_model_call(s.operation)) as input_tokens,
    sumIf(s.output_tokens, sightline_model_call(s.operation)) as output_tokens,
    sumIf(s.cost_usd, sightline_model_call(s.operation)) as cost_usd,
    countIf(
        sightline_model_call(s.operation)
            and sightline_unpriced(s.cost_usd, s.status, s.input_tokens, s.output_tokens)
    ) as unpriced_calls,
    s.project as project
from spans_v1 as s
where s.session_id != ''
group by project, session_id
order by started_at desc, session_id
