-- Grain: one log record or event. Times in UTC. Private: people read views over it.
-- Reads: store_logs. Readers: views.
create table if not exists logs_v1 (
    {type:log_facts},
    index by_trace trace_id type bloom_filter(0.001) granularity 1,
    index by_batch batch type minmax granularity 4)
engine = MergeTree
-- Weeks, for the same reason as in spans_v1.
partition by toMonday(at)
order by (project, service, event_name, at)
settings
    default_compression_codec = 'ZSTD(1)',
    non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1,
    index_granularity_bytes = 10485760
