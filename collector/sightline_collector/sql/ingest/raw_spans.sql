-- Grain: one span of any dialect, decoded and not yet understood. Times in ns. Keeps nothing.
-- Reads: decode_otlp_traces, decode_otel_traces. Readers: recognise_spans.
create table raw_spans (
    {type:envelope},
    trace_id String, span_id String, parent_span_id String, trace_state String, flags UInt32,
    name LowCardinality(String), kind Int64, start_ns UInt64, end_ns UInt64,
    status_code Int64, status_message String,
    scope_name LowCardinality(String), scope_version LowCardinality(String),
    attributes {type:attribute_map}, attribute_types {type:attribute_types},
    resource_attributes {type:attribute_map}, resource_types {type:attribute_types},
    scope_attributes {type:attribute_map},
    events {type:span_events}, links {type:span_links},
    dropped_attributes UInt32, dropped_events UInt32, dropped_links UInt32)
engine = Null
