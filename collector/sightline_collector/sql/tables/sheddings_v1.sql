-- Grain: one time that the store was over its budget of disk space, and something old was let go for it
-- Units: before: what began until then is gone, in UTC; bytes of all parts, when it was decided
-- Reads: -. Readers: the shedder, the doctor
create table if not exists sheddings_v1 (
    at DateTime64(3, 'UTC') default now64(3, 'UTC'), what Enum8('content' = 0, 'rows' = 1),
    before DateTime('UTC'), store_bytes UInt64, budget_bytes UInt64)
engine = MergeTree
order by at
settings
    non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1
