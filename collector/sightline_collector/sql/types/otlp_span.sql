-- OTLP's Span as the engine reads it.
Tuple(
    trace_id String, span_id String, trace_state String, parent_span_id String, name String,
    kind Int64, start_time_unix_nano UInt64, end_time_unix_nano UInt64,
    attributes {type:attributes}, dropped_attributes_count UInt64,
    events Array(Tuple(
        time_unix_nano UInt64, name String, attributes {type:attributes})),
    dropped_events_count UInt64,
    links Array(Tuple(
        trace_id String, span_id String, trace_state String, attributes {type:attributes})),
    dropped_links_count UInt64,
    status Tuple(message String, code Int64), flags UInt32)
