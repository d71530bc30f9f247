-- Grain: one log record as OTLP has it, beside the attributes of its resource and scope. Keeps nothing.
-- `shared` holds both, `of_resource` says how many come from the resource.
-- Reads: unfold_otlp_logs. Readers: spell_otlp_logs.
create table otlp_log_records (
    received_at UInt64, batch UInt64, writer LowCardinality(String), project LowCardinality(String),
    scope_name String, scope_version String, shared {type:attributes}, of_resource UInt64,
    record {type:otlp_log})
engine = Null
