-- One OTLP metrics request, as its client sent it, with the collector's trailer.
resource_metrics Array(Tuple(
    resource Tuple(attributes {type:attributes}),
    scope_metrics Array(Tuple(
        scope Tuple(name String, version String, attributes {type:attributes}),
        metrics Array({type:otlp_metric}))))),
received_at UInt64, batch UInt64, writer LowCardinality(String), project LowCardinality(String)
