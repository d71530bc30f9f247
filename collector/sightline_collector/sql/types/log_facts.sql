-- A log record as understood: the columns that raw_logs and logs_v1 share. `severity` is the level that
-- its number stands for.
{type:envelope},
    at DateTime64(9, 'UTC'), observed_at DateTime64(9, 'UTC'),
    trace_id String, span_id String, flags UInt32,
    severity_number UInt8, severity LowCardinality(String), severity_text LowCardinality(String),
    event_name LowCardinality(String), service LowCardinality(String),
    body String, body_type LowCardinality(String),
    scope_name LowCardinality(String), scope_version LowCardinality(String),
    attributes {type:attribute_map}, attribute_types {type:attribute_types},
    resource_attributes {type:attribute_map}, resource_types {type:attribute_types},
    scope_attributes {type:attribute_map}, dropped_attributes UInt32,
    notes Array(LowCardinality(String))
