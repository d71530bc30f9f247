-- Grain: one migration applied, or one making of the derived relations. Readers: migrate.
create table if not exists schema_v1 (
    kind Enum8('migration' = 0, 'derived' = 1), number UInt32, name String, fingerprint String,
    applied_at DateTime64(6, 'UTC') default now64(6))
engine = MergeTree order by (kind, applied_at)
