-- Grain: one log record in the columns of the OpenTelemetry Collector's ClickHouse exporter, so that it, or
-- Rotel, can insert into Sightline. Keeps nothing: it is read as otel_logs_view.
-- Reads: clients. Readers: decode_otel_logs.
create table otel_logs (
    Timestamp DateTime64(9, 'UTC'), TimestampTime DateTime('UTC') default toDateTime(Timestamp),
    TraceId String, SpanId String, TraceFlags UInt8,
    SeverityText LowCardinality(String), SeverityNumber UInt8, ServiceName LowCardinality(String),
    Body String, ResourceSchemaUrl LowCardinality(String),
    ResourceAttributes {type:attribute_map}, ScopeSchemaUrl LowCardinality(String),
    ScopeName String, ScopeVersion LowCardinality(String), ScopeAttributes {type:attribute_map},
    LogAttributes {type:attribute_map}, EventName LowCardinality(String))
engine = Null
