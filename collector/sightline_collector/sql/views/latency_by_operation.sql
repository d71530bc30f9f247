-- Grain: one operation of one service of one project, over all retained time; spans without an operation
--        are left out
-- Units: ms; tokens_per_second in output tokens a second; failed calls count too. Percentiles by
--        t-digest (within 0.3 % of the exact ones), NULL when no call was measured: only streamed calls
--        have a first chunk. Of what sampling left out each span that stands for others counts by its
--        weight, in calls, averages and percentiles; model calls and errors are never left out
-- Reads: spans_v1
-- Served by: latency_daily
-- Readers: people; the web pages
create or replace view latency_by_operation as
with summed as (
    select
        project, service, operation, sum(weight) as weighed, countIf(status = 'error') as errors,
        sum(duration_ms * weight) as duration_sum, count(first_chunk_ms) as streamed_calls,
        quantilesTDigestWeighted(0.5, 0.95, 0.99)(duration_ms, toUInt32(round(weight))) as durations,
        quantilesTDigest(0.5, 0.95, 0.99)(first_chunk_ms) as first_chunks,
        quantilesTDigest(0.5, 0.95, 0.99)(tokens_per_second) as speeds
    from spans_v1
    where operation != ''
    group by project, service, operation
)
select
    service, operation, toUInt64(round(weighed)) as calls,
    sightline_digest(durations, 1) as p50_ms,
    sightline_digest(durations, 2) as p95_ms,
    sightline_digest(durations, 3) as p99_ms,
    sightline_digest(first_chunks, 1) as first_chunk_p50_ms,
    sightline_digest(first_chunks, 2) as first_chunk_p95_ms,
    sightline_digest(speeds, 1) as tokens_per_second_p50,
    round(duration_sum / weighed, 3) as avg_ms, streamed_calls, errors, project
from summed
where weighed > 0
order by calls desc, service, operation
