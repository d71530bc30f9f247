-- One OTLP logs request, as its client sent it, with the collector's trailer.
resource_logs Array(Tuple(
    resource Tuple(attributes {type:attributes}),
    scope_logs Array(Tuple(
        scope Tuple(name String, version String, attributes {type:attributes}),
        log_records Array({type:otlp_log}))))),
received_at UInt64, batch UInt64, writer LowCardinality(String), project LowCardinality(String)
