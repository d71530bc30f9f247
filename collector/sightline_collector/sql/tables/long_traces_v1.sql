-- Grain: one time that a trace takes up, noted when it was found to be long; of several the whole holds
-- Units: UTC
-- Reads: -
-- Readers: the settlement loop, which reads the whole trace whatever comes of it later
create table if not exists long_traces_v1
(
    project LowCardinality(String),
    trace_id String,
    began_at DateTime64(9, 'UTC'),
    ended_at DateTime64(9, 'UTC'),
    noted_at DateTime64(3, 'UTC') default now64(3, 'UTC')
)
engine = MergeTree
order by (trace_id, project)
ttl toDateTime(noted_at) + interval 90 day;
