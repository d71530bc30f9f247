-- Grain: one trace that told of an answer, by the id of the provider's response, for as long as an answer that
-- is given again is known. Whatever comes of a trace later says so once more
-- Units: answer is the id's hash; said tells apart what was used, 0 when nothing was said; UTC
-- Reads: spans_v1, by the settlement loop
-- Readers: the settlement loop, which finds by it who told of the same answer hours ago
create table if not exists answers_v1
(
    answer UInt64,
    project LowCardinality(String),
    trace_id String,
    said UInt64,
    started_at DateTime64(9, 'UTC'),
    kept_until DateTime('UTC')
)
engine = ReplacingMergeTree
order by (answer, project, trace_id)
ttl kept_until;
