-- Grain: one report of items that will never be stored: dropped by a sender or refused by a collector, for
-- one reason. Units: items are spans, log records or data points. Private: people read span_loss.
-- Reads: count_losses. Readers: span_loss.
create table if not exists losses_v1 (
    {type:envelope},
    at DateTime64(9, 'UTC'), service LowCardinality(String),
    place LowCardinality(String), signal LowCardinality(String), reason LowCardinality(String),
    items UInt64,
    index by_batch batch type minmax granularity 4)
engine = MergeTree
partition by toStartOfYear(at)
order by (project, at)
settings
    non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1
