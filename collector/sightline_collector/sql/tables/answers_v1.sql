-- Grain: one time that a trace told of an answer, by the id of the provider's response, for as long as one
-- that is given again is known. Whatever comes of a trace later is another row, and takes nothing from it
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
engine = ReplacingMergeTree(kept_until)
order by (answer, project, trace_id, started_at, said)
ttl kept_until;
