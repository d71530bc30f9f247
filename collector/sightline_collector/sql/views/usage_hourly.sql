-- Grain: one UTC hour of one project, service, feature, provider, model, operation, prompt, its version
--        and variant
-- Units: tokens as counts, USD, ms; percentiles by t-digest, over failed calls too. Tokens and money are
--        of model calls only (llm, embedding, rerank): NULL on other operations, so that nothing is paid
--        twice; also NULL when no call of the hour has them. Averages are over the calls that were
--        measured. calls, avg_ms and percentiles reckon in by their weight the spans that sampling left
--        out; calls of models are those that are paid: two spans that tell of one call are one, and both are
--        measured
-- Reads: spans_v1
-- Served by: usage_hourly
-- Readers: people; dashboards; alert rules; drift views
create or replace view usage_hourly as
with summed as (
    select
        project, toStartOfHour(started_at) as hour, service, feature, provider, model, operation, prompt_name,
        prompt_version, variant,
        sum(weight) as weighed, sum(calls) as counted, countIf(status = 'error') as errors,
        sum(unpriced) as without_price, sum(cost_usd) as cost, sum(priced) as with_price,
        sum(input_tokens) as input_sum, sum(output_tokens) as output_sum,
        sum(cache_read_tokens) as cache_read_sum, sum(cache_write_tokens) as cache_write_sum,
        sum(reasoning_tokens) as reasoning_sum, sum(duration_ms * weight) as duration_sum,
        count(first_chunk_ms) as first_chunk_calls, sum(first_chunk_ms) as first_chunk_sum,
        count(tokens_per_second) as speed_calls, sum(tokens_per_second) as speed_sum,
        sum(tokens_estimated) as estimated_calls,
        quantilesTDigestWeighted(0.5, 0.95, 0.99)(duration_ms, toUInt32(round(weight))) as durations,
        quantilesTDigest(0.5, 0.95, 0.99)(first_chunk_ms) as first_chunks,
        quantilesTDigest(0.5, 0.95, 0.99)(tokens_per_second) as speeds
    from spans_v1
    group by
        project, hour, service, feature, provider, model, operation, prompt_name, prompt_version, variant
)
select
    hour, service, feature, provider, model, operation, prompt_name, prompt_version, variant,
    if(sightline_model_call(operation), counted, toDecimal128(weighed, 6)) as calls, errors,
    if(sightline_model_call(operation), without_price, 0) as unpriced_calls,
    if(sightline_model_call(operation), cost, null) as cost_usd,
    if(sightline_model_call(operation), cost / nullIf(with_price, 0), null) as cost_per_call_usd,
    if(sightline_model_call(operation), input_sum, null) as input_tokens,
    if(sightline_model_call(operation), output_sum, null) as output_tokens,
    if(sightline_model_call(operation), cache_read_sum, null) as cache_read_tokens,
    if(sightline_model_call(operation), cache_write_sum, null) as cache_write_tokens,
    if(sightline_model_call(operation), reasoning_sum, null) as reasoning_tokens,
    estimated_calls,
    duration_sum / nullIf(weighed, 0) as avg_ms,
    sightline_digest(durations, 1) as p50_ms,
    sightline_digest(durations, 2) as p95_ms,
    sightline_digest(durations, 3) as p99_ms,
    first_chunk_sum / nullIf(first_chunk_calls, 0) as first_chunk_avg_ms,
    sightline_digest(first_chunks, 1) as first_chunk_p50_ms,
    sightline_digest(first_chunks, 2) as first_chunk_p95_ms,
    speed_sum / nullIf(speed_calls, 0) as tokens_per_second_avg,
    sightline_digest(speeds, 1) as tokens_per_second_p50,
    project
from summed
where calls > 0
