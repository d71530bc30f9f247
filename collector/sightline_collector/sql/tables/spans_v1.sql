-- Grain: one entry of the ledger: a span of any kind, or a correction of what one adds to the totals. Model calls
-- are rows with an operation of llm, embedding or rerank. Totals are sums over both kinds of entry, so that a
-- call is paid once however many spans tell of it; everything else reads where entry = 'span'.
-- A correction repeats the dimensions of its span and adds to its calls, tokens and cost, or takes from them: it
-- measures nothing, so its weight is 0; `why` and status_message say what it is for, span_received_at which of
-- two deliveries of a span it corrects, and flags how many times one request held that span.
-- Money in USD, times in UTC, durations in ms, tokens as counts; unknown is NULL, with the reason in
-- cost_status or notes. Private: people read the view spans.
-- Reads: priced_spans. Readers: spans and all views over it.
create table if not exists spans_v1 (
    {type:span_facts},
    {type:span_price},
    -- What a span's own tokens would cost whatever its operation is; cost_usd is what it adds to the totals.
    own_cost_usd Nullable(Decimal(18, 12)) default cost_usd,
    entry Enum8('span' = 0, 'correction' = 1) default 'span', why LowCardinality(String),
    span_received_at DateTime64(9, 'UTC') default received_at,
    -- A delivery of a span and its corrections have it in common: one number is found faster than four texts.
    span_key UInt64 materialized sipHash64(project, trace_id, span_id, span_received_at),
    -- How many calls of a provider an entry adds to the bill. An attempt that failed is one: it is sent, counts
    -- against rate limits, and is billed once it has got as far as a token. Not whole where a span stands for
    -- others: of three of ten that a sampler keeps, each is for 3.333333.
    calls Decimal(18, 6) default 1,
    priced Decimal(18, 6) default isNotNull(cost_usd),
    unpriced Decimal(18, 6) default operation in ('llm', 'embedding', 'rerank') and {type:unpriced},
    index by_trace trace_id type bloom_filter(0.001) granularity 1,
    index by_batch batch type minmax granularity 4,
    index by_received received_at type minmax granularity 4,
    index by_session session_id type bloom_filter(0.01) granularity 1,
    index by_response response_id type bloom_filter(0.01) granularity 1,
    index by_user user_id type bloom_filter(0.01) granularity 1,
    -- Before usage_hourly: of two that serve a query from as few granules the engine takes the first,
    -- and a day's digests merge ten times faster than its hours'.
    projection latency_daily (
        select
            project, toStartOfDay(started_at), service, feature, provider, model, operation,
            sum(weight), countIf(status = 'error'), sum(duration_ms * weight), count(first_chunk_ms),
            quantilesTDigestWeighted(0.5, 0.95, 0.99)(duration_ms, toUInt32(round(weight))),
            quantilesTDigest(0.5, 0.95, 0.99)(first_chunk_ms),
            quantilesTDigest(0.5, 0.95, 0.99)(tokens_per_second)
        group by project, toStartOfDay(started_at), service, feature, provider, model, operation),
    projection usage_hourly (
        select
            project, toStartOfHour(started_at), service, feature, provider, model, operation, prompt_name,
            prompt_version, experiment, variant, shadow,
            countIf(entry = 'span'), sum(calls), sum(weight), countIf(status = 'error'), sum(unpriced),
            sum(cost_usd), sum(priced), sum(input_tokens), sum(output_tokens), sum(cache_read_tokens),
            sum(cache_write_tokens), sum(reasoning_tokens), sum(duration_ms * weight), count(first_chunk_ms),
            sum(first_chunk_ms), count(tokens_per_second), sum(tokens_per_second),
            sum(tokens_estimated), min(started_at), max(started_at),
            uniqIf(trace_id, operation in ('llm', 'embedding', 'rerank')),
            quantilesTDigestWeighted(0.5, 0.95, 0.99)(duration_ms, toUInt32(round(weight))),
            quantilesTDigest(0.5, 0.95, 0.99)(first_chunk_ms),
            quantilesTDigest(0.5, 0.95, 0.99)(tokens_per_second)
        group by
            project, toStartOfHour(started_at), service, feature, provider, model, operation, prompt_name,
            prompt_version, experiment, variant, shadow),
    projection usage_by_user (
        select
            project, operation, user_id,
            sum(calls), countIf(status = 'error'), sum(unpriced), sum(cost_usd), sum(priced),
            sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), min(started_at), max(started_at)
        group by project, operation, user_id),
    projection answers_daily (
        select
            project, toStartOfDay(started_at), operation, feature, model, finish_reason, entry,
            count(), countIf(refused = 1), countIf(refused = 0), sum(output_tokens), min(output_tokens),
            max(output_tokens), countResample(0, 512, 1)(output_tokens, {type:token_cell})
        group by project, toStartOfDay(started_at), operation, feature, model, finish_reason, entry))
engine = MergeTree
-- Weeks, so that the 401 days a span's time may lie apart are under 100 partitions: more in one insert
-- are refused by the engine. Corrections have their own, so that they are read without the spans around them.
partition by (toMonday(started_at), entry)
-- The minute only: with started_at itself in the key a question for an hour would read all granules, for
-- the engine would match that column and not see the minute in front of the trace.
order by (project, toStartOfMinute(started_at), trace_id)
settings
    default_compression_codec = 'ZSTD(1)',
    lightweight_mutation_projection_mode = 'rebuild', non_replicated_deduplication_window = 0,
    fsync_after_insert = 1, fsync_part_directory = 1,
    -- An inserted part is a few files, not one a column: fewer syncs. Merges make the wide ones.
    min_bytes_for_wide_part = 134217728
