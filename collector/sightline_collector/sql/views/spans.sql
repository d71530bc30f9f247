-- Grain: one span of any kind; model calls are those with an operation of llm, embedding or rerank
-- Units: USD, tokens as counts, ms, UTC; ids are lower-case hex, parent_span_id is '' at a root. Input
--        tokens count what was read from and written to a cache too, output tokens count reasoning too.
--        weight is for how many spans this one stands: more than 1 where a sender left others out.
--        Unknown is NULL, with its reason in cost_status or notes; a text that was not given is ''
-- Reads: spans_v1
-- Readers: people; the web pages; the command line; views of drift
create or replace view spans as
select
    trace_id, span_id, parent_span_id, started_at, duration_ms, service, name, operation, status,
    provider, model, feature, user_id, session_id, input_tokens, output_tokens, cost_usd, cost_status,
    first_chunk_ms, first_token_ms, tokens_per_second,
    cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, reasoning_tokens, extra_usage,
    tokens_estimated, reported_cost_usd, price_id, price_source, price_context,
    error_type, status_message, refused, blocked, finish_reason,
    request_model, response_model, response_id, prompt_name, prompt_version, experiment, variant, shadow, tags, agent, tool,
    stage, input, output, kind, attributes, attribute_types, resource_attributes, resource_types,
    scope_name, scope_version, scope_attributes, events, links, trace_state, flags,
    dropped_attributes, dropped_events, dropped_links, notes, weight, dialect, received_at, batch, writer,
    project
from spans_v1
