-- Grain: one log record or event. Times in UTC. Private: people read views over it.
-- Reads: store_logs. Readers: views, told_texts.
create table if not exists logs_v1 (
    {type:log_facts},
    -- The span that a record belongs to, as one number: by it a span finds what records tell of it.
    span_key UInt64 materialized sipHash64(project, trace_id, span_id),
    index by_span span_key type bloom_filter(0.001) granularity 1,
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
