-- One trace: a question that needed a tool
select span_id, parent_span_id, name, started_at, duration_ms, input_tokens, output_tokens,
    cost_usd from spans where trace_id = '{trace_id}' order by started_at
