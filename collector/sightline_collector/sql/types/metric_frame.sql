-- What a metric's data points share, and its request's envelope as OTLP has it.
received_at UInt64, batch UInt64, writer LowCardinality(String), project LowCardinality(String),
    scope_name String, scope_version String,
    name String, description String, unit String, kind UInt8, temporality Int64, monotonic UInt8
