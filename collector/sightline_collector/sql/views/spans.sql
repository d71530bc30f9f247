-- Grain: one span of any kind; model calls are those with an operation of llm, embedding or rerank
-- Units: USD, tokens as counts, ms, UTC; ids are lower-case hex, parent_span_id is '' at a root. Input
--        tokens count what was read from and written to a cache too, output tokens count reasoning too.
--        cost_usd is what the span adds to the totals, own_cost_usd what its own tokens cost: they differ where
--        another span tells of the same call; then cost_status is aggregate, twin, redelivered or replayed, and
--        cost_corrections says why. counted is for how many paid calls the span stands: 1, 0, or a part where
--        one request held the span several times.
--        weight is for how many spans this one stands: more than 1 where a sender left others out.
--        Unknown is NULL, with its reason in cost_status or notes; a text that was not given is ''. Where a
--        span holds no input or output, it is what log records tell of it, as a JSON list of messages, whenever
--        they come
--        refused is judged by that output too, whenever it came
--        Labels (feature, user_id, session_id, prompt, experiment) are those that the span came with: where only
--        another span of the call has them, cost_by_feature and its like go by that, see cost_corrections
-- Filter by started_at or trace_id: spans and their corrections are found by indexes then. A read of all looks
-- each span up among the corrections, and for its texts, if they are asked for, among the log records
-- Reads: spans_v1
-- Readers: people; the web pages; the command line
create or replace view spans as
with settled as (
    select
        c.span_key as of_key, c.started_at as of_time, c.trace_id as of_trace, 1 as corrected,
        -- Narrow types: the join gives each span a value, though most have no correction.
        toInt32(sumIf(c.calls, c.why != 'repeated')) as calls,
        toInt32(sumIf(c.priced, c.why != 'repeated')) as priced,
        max(c.flags) as copies,
        toDecimal64(sumIf(ifNull(c.cost_usd, 0), c.why != 'repeated'), 12) as usd,
        argMax(c.why, (c.why not in ('repriced', 'repeated', 'completed'), c.received_at)) as why,
        -- What takes an unpriced call from its reason says that reason, not the new one.
        argMaxIf(toString(c.cost_status), c.received_at, c.unpriced >= 0) as new_status,
        countIf(c.why = 'repriced') as repriced,
        argMaxIf(c.price_id, c.received_at, c.why = 'repriced' and c.unpriced >= 0) as new_price,
        argMaxIf(toString(c.price_source), c.received_at, c.why = 'repriced' and c.unpriced >= 0)
            as new_source
    from spans_v1 as c
    where c.entry = 'correction' and c.why not in ('sampled', 'labelled')
    -- Time and trace are there for filters: what is asked of them narrows which corrections are read.
    group by of_key, of_time, of_trace
),
-- Most spans have no correction; what only those with one need is reckoned for them alone. NULL instead of
-- nothing when the reader's joins say so.
ifNull(settled.corrected, 0) = 1 as changed,
sightline_model_call(s.operation) as call,
sightline_listed_events('input', s.input_key, s.input, s.output) as given,
sightline_listed_events('output', s.input_key, s.input, s.output) as answered,
sightline_told_texts(s.project, s.trace_id, s.span_id, s.operation, given, answered) as told
select
    trace_id, span_id, parent_span_id, started_at, duration_ms, service, name, operation, status,
    provider, model, feature, user_id, session_id, input_tokens, output_tokens,
    if(
        changed,
        multiIf(
            s.priced + settled.priced <= 0, null,
            settled.copies < 2, ifNull(s.cost_usd, 0) + settled.usd,
            (ifNull(s.cost_usd, 0) + settled.usd) / greatest(settled.copies, 1)),
        s.cost_usd) as cost_usd,
    if(
        changed,
        multiIf(
            counted = 0, ifNull(settled.why, ''),
            ifNull(settled.new_status, '') = '', toString(s.cost_status),
            assumeNotNull(settled.new_status)),
        toString(s.cost_status)) as cost_status,
    own_cost_usd,
    -- One request may hold a span several times: each copy is a part of it.
    if(changed, (call + ifNull(settled.calls, 0)) / greatest(ifNull(settled.copies, 1), 1), call) as counted,
    first_chunk_ms, first_token_ms, tokens_per_second,
    cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, reasoning_tokens, extra_usage,
    tokens_estimated, reported_cost_usd,
    if(changed and settled.repriced > 0, ifNull(settled.new_price, ''), s.price_id) as price_id,
    if(changed and settled.repriced > 0, ifNull(settled.new_source, ''), s.price_source) as price_source,
    price_context,
    error_type, status_message,
    ifNull(s.refused, sightline_refused(s.operation, s.finish_reason, output)) as refused, blocked,
    finish_reason,
    request_model, response_model, response_id, prompt_name, prompt_version, experiment, variant, shadow, tags,
    agent, tool, stage, concat(given, told[1]) as input, concat(answered, told[2]) as output,
    kind, attributes, attribute_types, resource_attributes, resource_types,
    scope_name, scope_version, scope_attributes, events, links, trace_state, flags,
    dropped_attributes, dropped_events, dropped_links, notes, weight, dialect, received_at, batch, writer,
    project
from spans_v1 as s
left any join settled
    on settled.of_key = s.span_key and settled.of_time = s.started_at and settled.of_trace = s.trace_id
where s.entry = 'span'
