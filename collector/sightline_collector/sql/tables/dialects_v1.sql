-- Grain: one attribute key of one dialect. `target` is what it means here, `rank` which key wins when
-- several are present (1 first). Filled from data/dialects.csv. Readers: dialects.
create table if not exists dialects_v1 (
    key String, column LowCardinality(String), rank UInt8, dialect LowCardinality(String))
engine = MergeTree order by key
