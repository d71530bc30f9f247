-- Grain: one trace of one project. Its root is the first span without a parent, or the first span of all
--        when no such span has come
-- Units: USD, tokens as counts, ms, UTC. name, service, operation, status and duration_ms are the
--        root's; input and output are its first 200 characters, as in spans; feature, user_id and session_id
--        are the first that any of its spans names. Tokens and money are of its model calls only, NULL when
--        none has any; first_chunk_ms is from the root's start to the first chunk of any call, NULL when none
--        streamed; thumbs are NULL when nobody has judged the trace. spans and tools are those that were
--        sent: of a trace that a sampler thinned, its root, model calls and failures
-- Filter by trace_id or started_at: both are served by indexes. A read of all, or by other columns, groups
--        every span, ten seconds and more for ten million: read recent_traces for the newest, and say
--        trace_id in (select trace_id from spans where session_id = '...') for those of a session or a user
-- Reads: spans_v1, feedback_v1
-- Readers: people; the web pages; the command line
create or replace view trace_summary as
with totals as (
    select
        s.project as project, s.trace_id as trace_id,
        -- An Int64 that puts parentless spans first, then the earliest: nanoseconds stay below 2^62.
        argMinIf(
            s.span_id,
            toUnixTimestamp64Nano(s.started_at) + if(s.parent_span_id = '', 0, 4611686018427387904),
            s.entry = 'span'
        ) as root_id,
        countIf(s.entry = 'span') as spans, sumIf(s.calls, sightline_model_call(s.operation)) as model_calls,
        countIf(s.operation = 'tool' and s.entry = 'span') as tools, countIf(s.status = 'error') as errors,
        argMinIf(s.feature, s.started_at, s.feature != '') as feature,
        argMinIf(s.user_id, s.started_at, s.user_id != '') as user_id,
        argMinIf(s.session_id, s.started_at, s.session_id != '') as session_id,
        arrayDistinct(groupArrayIf(s.provider, sightline_model_call(s.operation))) as providers,
        arrayDistinct(groupArrayIf(s.model, sightline_model_call(s.operation))) as models,
        sumIf(s.input_tokens, sightline_model_call(s.operation)) as input_tokens,
        sumIf(s.output_tokens, sightline_model_call(s.operation)) as output_tokens,
        sumIf(s.cache_read_tokens, sightline_model_call(s.operation)) as cache_read_tokens,
        sumIf(s.cache_write_tokens, sightline_model_call(s.operation)) as cache_write_tokens,
        sumIf(s.reasoning_tokens, sightline_model_call(s.operation)) as reasoning_tokens,
        sumIf(s.cost_usd, sightline_model_call(s.operation)) as cost_usd,
        sumIf(s.unpriced, sightline_model_call(s.operation)) as unpriced_calls,
        min(toUnixTimestamp64Nano(s.started_at) / 1000000. + s.first_chunk_ms) as chunk_ms
    from spans_v1 as s
    group by project, trace_id
),
-- Cut here, for the join holds them.
starts as (
    select
        project, trace_id, span_id, parent_span_id, started_at, duration_ms, name, service, operation,
        status, leftUTF8(sightline_listed_events('input', input_key, s.input, s.output), 200) as input,
        leftUTF8(sightline_listed_events('output', input_key, s.input, s.output), 200) as output
    from spans_v1 as s
    where entry = 'span'
),
thumbs as (
    select
        project, trace_id, toNullable(countIf(score > 0)) as up, toNullable(countIf(score <= 0)) as down
    from feedback_v1 final
    where kind = 'thumbs'
    group by project, trace_id
),
-- Of roots alone, and of no more than are asked for.
sightline_told_texts(root.project, root.trace_id, root.span_id, root.operation, root.input, root.output)
    as told
select
    root.trace_id as trace_id, root.started_at as started_at, root.duration_ms as duration_ms,
    root.name as name, root.service as service, root.operation as operation, root.status as status,
    totals.feature as feature, totals.user_id as user_id, totals.session_id as session_id,
    spans, model_calls, tools, errors, totals.input_tokens as input_tokens,
    totals.output_tokens as output_tokens, totals.cost_usd as cost_usd, unpriced_calls,
    round(chunk_ms - toUnixTimestamp64Nano(root.started_at) / 1000000., 3) as first_chunk_ms,
    leftUTF8(concat(root.input, told[1]), 200) as input, leftUTF8(concat(root.output, told[2]), 200) as output,
    thumbs.up as thumbs_up, thumbs.down as thumbs_down,
    arrayStringConcat(arraySort(providers), ', ') as provider,
    arrayStringConcat(arraySort(models), ', ') as model,
    totals.cache_read_tokens as cache_read_tokens, totals.cache_write_tokens as cache_write_tokens,
    totals.reasoning_tokens as reasoning_tokens, root.span_id as span_id,
    root.parent_span_id as parent_span_id, root.project as project
from totals
-- Roots stand on the right, where the engine begins: what is asked of them narrows which totals are read.
-- Any: a span that was sent twice is one root.
inner any join starts as root
    on root.project = totals.project and root.trace_id = totals.trace_id and root.span_id = totals.root_id
left join thumbs on thumbs.project = root.project and thumbs.trace_id = root.trace_id
