-- Grain: one series' frozen answers (a slice's column), in one freezing. The newest of a series holds;
-- one with no calls releases the series, which is then compared with the seven days before again.
-- Units: counts; tokens summed; histogram over the cells of sightline_token_cell for numbers, categories
-- for texts. Days are UTC, the last one included.
-- Reads: nothing. Readers: drift_baselines. Written by freeze_baseline.
create table if not exists baselines_v1 (
    project LowCardinality(String), name String,
    slice_key LowCardinality(String), slice_value String, column_name LowCardinality(String),
    first_day Date, last_day Date, calls UInt64, nulls UInt64, tokens UInt64,
    histogram Array(UInt64), categories Map(String, UInt64),
    created_at DateTime64(6, 'UTC') default now64(6), created_by String)
engine = MergeTree order by (project, slice_key, slice_value, column_name, created_at)
settings fsync_after_insert = 1, fsync_part_directory = 1
