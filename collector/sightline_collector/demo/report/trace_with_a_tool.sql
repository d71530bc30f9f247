-- The newest question that needed a tool
select trace_id from recent_traces
where feature = 'support' and tools = 1 and errors = 0
order by started_at desc limit 1
