-- Grain: one span in the columns of the OpenTelemetry Collector's ClickHouse exporter, so that it, or
-- Rotel, can insert into Sightline. Keeps nothing: it is read as otel_traces_view.
-- Reads: clients. Readers: decode_otel_traces.
create table otel_traces (
    Timestamp DateTime64(9, 'UTC'), TraceId String, SpanId String, ParentSpanId String, TraceState String,
    SpanName LowCardinality(String), SpanKind LowCardinality(String), ServiceName LowCardinality(String),
    ResourceAttributes {type:attribute_map}, ScopeName String, ScopeVersion String,
    SpanAttributes {type:attribute_map}, Duration UInt64, StatusCode LowCardinality(String),
    StatusMessage String,
    Events Nested (
        Timestamp DateTime64(9, 'UTC'), Name LowCardinality(String), Attributes {type:attribute_map}),
    Links Nested (
        TraceId String, SpanId String, TraceState String, Attributes {type:attribute_map}))
engine = Null
