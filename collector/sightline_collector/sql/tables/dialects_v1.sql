-- Grain: one attribute key of one dialect. `column` is what it means here, `rank` which key wins when
-- several are present (1 first). `sign` says how surely the key shows its dialect (1 most, 0 not at all):
-- the surest of a span's keys names it. Of a `shape` json, what it holds means something: members are
-- looked up as `key.member`, a plain value as `key.`; a shape answer is what a client returned, of which
-- its tier and its usage are. A key `scope=NAME` is the name of the span's scope, or its first three words,
-- or its first; `name=WORD` is the span's name up to a dot, `name=WORD *` the first of two words.
-- `DIALECT PROVIDER` names a dialect more closely. Filled from data/dialects.csv. Readers: dialects.
create table if not exists dialects_v1 (
    key String, column {type:span_meaning}, rank UInt8, dialect LowCardinality(String), sign UInt8,
    shape LowCardinality(String))
engine = MergeTree order by key
