-- One OTLP trace request, as its client sent it, with the collector's trailer.
resource_spans Array(Tuple(
    resource Tuple(attributes {type:attributes}),
    scope_spans Array(Tuple(
        scope Tuple(name String, version String, attributes {type:attributes}),
        spans Array({type:otlp_span}))))),
received_at UInt64, batch UInt64, writer LowCardinality(String), project LowCardinality(String)
