-- Grain: one log record whose values are text: keys, texts and types are parallel, and hold one after the
-- other its own attributes, its resource's, its scope's, and last its body. Keeps nothing.
-- Reads: spell_otlp_logs. Readers: decode_otlp_logs.
create table spelled_logs (
    received_at UInt64, batch UInt64, writer LowCardinality(String), project LowCardinality(String),
    scope_name String, scope_version String,
    keys Array(String), texts Array(String), types Array(String),
    own UInt64, of_resource UInt64, of_scope UInt64, record {type:otlp_log})
engine = Null
