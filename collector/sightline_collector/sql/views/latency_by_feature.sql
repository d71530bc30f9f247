-- Grain: one feature of one project, over all retained time; model calls only
-- Units: ms; tokens_per_second in output tokens a second; failed calls count too. Percentiles by
--        t-digest (within 0.3 % of the exact ones), NULL when no call was measured: only streamed calls
--        have a first chunk
-- Reads: spans_v1
-- Served by: latency_daily
-- Readers: people; the web pages
create or replace view latency_by_feature as
with summed as (
    select
        project, feature, sum(weight) as weighed, countIf(status = 'error') as errors,
        sum(duration_ms * weight) as duration_sum, count(first_chunk_ms) as streamed_calls,
        quantilesTDigestWeighted(0.5, 0.95, 0.99)(duration_ms, toUInt32(round(weight))) as durations,
        quantilesTDigest(0.5, 0.95, 0.99)(first_chunk_ms) as first_chunks,
        quantilesTDigest(0.5, 0.95, 0.99)(tokens_per_second) as speeds
    from spans_v1
    where sightline_model_call(operation)
    group by project, feature
)
select
    feature, toUInt64(round(weighed)) as calls,
    sightline_digest(durations, 1) as p50_ms,
    sightline_digest(durations, 2) as p95_ms,
    sightline_digest(durations, 3) as p99_ms,
    sightline_digest(first_chunks, 1) as first_chunk_p50_ms,
    sightline_digest(first_chunks, 2) as first_chunk_p95_ms,
    sightline_digest(speeds, 1) as tokens_per_second_p50,
    round(duration_sum / weighed, 3) as avg_ms, streamed_calls, errors, project
from summed
where weighed > 0
order by calls desc, feature
