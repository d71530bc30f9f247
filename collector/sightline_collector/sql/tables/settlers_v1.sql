-- Grain: one sign of life of a collector that would settle this store; of several the oldest settles
-- Units: since is when it started, seen_at when it said so; UTC
-- Reads: -
-- Readers: the settlement loop of each collector
create table if not exists settlers_v1
(
    holder String,
    since DateTime64(3, 'UTC'),
    seen_at DateTime64(3, 'UTC')
)
engine = MergeTree
order by (holder, seen_at)
ttl toDateTime(seen_at) + interval 1 day;
