-- Grain: one variant of one experiment and feature of one project, over all retained time; model calls
--        that name a variant, and shadow calls, whose answers nobody saw, apart from the others
-- Units: USD, ms, tokens as counts; error_rate from 0 to 1 with its Wilson 95 % interval; percentiles by
--        t-digest, over failed calls too; cost_per_call_usd is over priced calls, NULL without any; shadow
--        is 1 or 0. It compares what was measured and decides nothing: whether variants differ is for
--        their intervals to say; what people thought of them stands in feedback_scores
-- Reads: spans_v1
-- Served by: usage_hourly
-- Readers: people; the web pages
create or replace view variant_comparison as
with summed as (
    select
        project, feature, experiment, variant, shadow, sum(calls) as counted, countIf(status = 'error') as errors,
        sum(cost_usd) as cost, sum(priced) as with_price, sum(unpriced) as without_price,
        sum(input_tokens) as input, sum(output_tokens) as output,
        quantilesTDigestWeighted(0.5, 0.95, 0.99)(duration_ms, toUInt32(round(weight))) as durations,
        quantilesTDigest(0.5, 0.95, 0.99)(first_chunk_ms) as first_chunks
    from spans_v1
    where sightline_model_call(operation) and (variant != '' or shadow = 1)
    group by project, feature, experiment, variant, shadow
)
select
    feature, variant, counted as calls, errors,
    errors / toFloat64(counted) as error_rate,
    sightline_wilson_low(errors, toFloat64(counted)) as error_rate_low,
    sightline_wilson_high(errors, toFloat64(counted)) as error_rate_high,
    cost as cost_usd, cost / nullIf(with_price, 0) as cost_per_call_usd, without_price as unpriced_calls,
    sightline_digest(durations, 1) as p50_ms,
    sightline_digest(durations, 2) as p95_ms,
    sightline_digest(durations, 3) as p99_ms,
    sightline_digest(first_chunks, 1) as first_chunk_p50_ms,
    input as input_tokens, output as output_tokens, experiment, shadow, project
from summed
where counted > 0
order by feature, experiment, variant, shadow
