-- Grain: one span of any dialect whose meaningful attributes were found. Keeps nothing.
-- Reads: recognise_spans. Readers: map_spans.
create table recognised_spans (
    meaning {type:attribute_map}, input_key LowCardinality(String), output_key LowCardinality(String),
    dialect LowCardinality(String),
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
