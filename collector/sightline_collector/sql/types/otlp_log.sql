-- OTLP's LogRecord as the engine reads it.
Tuple(
    time_unix_nano UInt64, severity_number Int64, severity_text String, body {type:any_value},
    attributes {type:attributes}, dropped_attributes_count UInt64, flags UInt32, trace_id String,
    span_id String, observed_time_unix_nano UInt64, event_name String)
