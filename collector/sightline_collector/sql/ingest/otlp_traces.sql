-- Grain: one OTLP trace request, as its client sent it, with the collector's trailer. Keeps nothing.
-- Reads: segments of the collector's log. Readers: unfold_otlp_traces.
create table otlp_traces (
    resource_spans Array(Tuple(
        resource Tuple(attributes {type:attributes}),
        scope_spans Array(Tuple(
            scope Tuple(name String, version String, attributes {type:attributes}),
            spans Array({type:otlp_span}))))),
    received_at UInt64, batch UInt64, writer LowCardinality(String), project LowCardinality(String))
engine = Null
