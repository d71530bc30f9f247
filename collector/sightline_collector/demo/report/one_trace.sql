-- One trace: a question that needed a tool
with chosen as (
    select trace_id
    from recent_traces
    where feature = 'support' and tools = 1 and errors = 0
    order by started_at desc
    limit 1
)
select
    span_id, parent_span_id, name, input_tokens, output_tokens, cost_usd, duration_ms,
    (toUnixTimestamp64Nano(started_at) - min(toUnixTimestamp64Nano(started_at)) over ()) / 1e6 as started_ms
from spans
where trace_id in (select trace_id from chosen)
order by started_ms
