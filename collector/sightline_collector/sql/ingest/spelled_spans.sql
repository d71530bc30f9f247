-- Grain: one span whose attributes are text: keys, texts and types are parallel, and hold one after
-- the other its own, its resource's, its scope's, its events' and its links'. Keeps nothing.
-- Reads: spell_otlp_spans. Readers: decode_otlp_traces.
create table spelled_spans (
    received_at UInt64, batch UInt64, writer LowCardinality(String), project LowCardinality(String),
    scope_name String, scope_version String,
    keys Array(String), texts Array(String), types Array(String),
    own UInt64, of_resource UInt64, of_scope UInt64, before_events UInt64, before_links UInt64,
    span {type:otlp_span})
engine = Null
