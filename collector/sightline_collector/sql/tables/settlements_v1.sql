-- Grain: one settlement that was finished, of one writer's segments or of what clients have inserted themselves
-- Units: until is the last batch that was settled, or the last moment of receipt in Unix ns; keys is the sum
-- of the span_keys of that batch, NULL where no more of it can come; UTC
-- Reads: -
-- Readers: the settlement loop, which goes on after the last
create table if not exists settlements_v1
(
    writer LowCardinality(String),
    until UInt64,
    keys Nullable(UInt64),
    corrections UInt64,
    settled_at DateTime64(3, 'UTC') default now64(3, 'UTC')
)
engine = MergeTree
order by (writer, settled_at)
ttl toDateTime(settled_at) + interval 90 day;
