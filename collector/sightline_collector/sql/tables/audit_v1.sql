-- Grain: one act that is written down: a read of content, what an admin did, a key that was made or ended, an
-- erasure. Units: `key` is its eight digits, '' for the operator at the machine; `scope` the key's project or *;
-- outcome is an HTTP status, or what came of it. Names and hashes only: no content, no statement, no user's id.
-- Private: people read audit. Reads: keep_audit. Readers: audit.
create table if not exists audit_v1 (
    {type:envelope},
    at DateTime64(9, 'UTC'), act LowCardinality(String), key LowCardinality(String),
    scope LowCardinality(String), what String, outcome LowCardinality(String),
    index by_batch batch type minmax granularity 4)
engine = MergeTree
partition by toStartOfYear(at)
order by at
settings
    non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1
