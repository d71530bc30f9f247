-- Grain: one span as OTLP has it, beside the attributes of its resource and scope. Keeps nothing.
-- `shared` holds both, `of_resource` says how many come from the resource.
-- Reads: unfold_otlp_traces. Readers: spell_otlp_spans.
create table otlp_spans (
    received_at UInt64, batch UInt64, writer LowCardinality(String), project LowCardinality(String),
    scope_name String, scope_version String, shared {type:attributes}, of_resource UInt64,
    span {type:otlp_span})
engine = Null
