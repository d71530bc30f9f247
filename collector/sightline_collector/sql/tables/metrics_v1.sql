-- Grain: one data point of a metric. Times in UTC, values in `unit`. Gauges and sums have an int_value or a
-- double_value, neither when nothing was recorded (bit 0 of flags); the other kinds have count and sum.
-- `bounds` are the upper bounds of all `buckets` but the last. Exponential histograms have a `scale` instead:
-- bucket i of positive_buckets ends at 2 ^ (2 ^ -scale * (positive_offset + i)), i from 1.
-- Private: people read views over it. Reads: decoded_metrics. Readers: views.
create table if not exists metrics_v1 (
    {type:envelope},
    at DateTime64(9, 'UTC'), started_at Nullable(DateTime64(9, 'UTC')),
    name LowCardinality(String), description LowCardinality(String), unit LowCardinality(String),
    kind Enum8('gauge' = 1, 'sum' = 2, 'histogram' = 3, 'exponential_histogram' = 4, 'summary' = 5),
    temporality Enum8('unspecified' = 0, 'delta' = 1, 'cumulative' = 2), monotonic UInt8,
    service LowCardinality(String), scope_name LowCardinality(String), scope_version LowCardinality(String),
    flags UInt32, int_value Nullable(Int64), double_value Nullable(Float64),
    count Nullable(UInt64), sum Nullable(Float64), min Nullable(Float64), max Nullable(Float64),
    bounds Array(Float64), buckets Array(UInt64),
    scale Nullable(Int32), zero_count UInt64, zero_threshold Float64,
    positive_offset Int64, positive_buckets Array(UInt64),
    negative_offset Int64, negative_buckets Array(UInt64), quantiles {type:quantiles},
    exemplars {type:metric_exemplars},
    attributes {type:attribute_map}, attribute_types {type:attribute_types},
    resource_attributes {type:attribute_map}, resource_types {type:attribute_types},
    scope_attributes {type:attribute_map}, notes Array(LowCardinality(String)),
    index by_batch batch type minmax granularity 4)
engine = MergeTree
-- Weeks, for the same reason as in spans_v1.
partition by toMonday(at)
order by (project, name, service, at)
settings
    default_compression_codec = 'ZSTD(1)',
    non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1,
    index_granularity_bytes = 10485760
