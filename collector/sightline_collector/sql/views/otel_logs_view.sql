-- Grain: one log record, in the columns of the OpenTelemetry Collector's ClickHouse exporter, for Grafana
-- and whoever else reads otel_logs; that name itself is an insert target and keeps nothing.
-- Units: UTC. Reads: logs_v1. Readers: people's tools.
create or replace view otel_logs_view as
select
    at as Timestamp, toDateTime(at, 'UTC') as TimestampTime, trace_id as TraceId, span_id as SpanId,
    toUInt8(bitAnd(flags, 255)) as TraceFlags,
    severity_text as SeverityText, severity_number as SeverityNumber, service as ServiceName, body as Body,
    '' as ResourceSchemaUrl, resource_attributes as ResourceAttributes, '' as ScopeSchemaUrl,
    scope_name as ScopeName, scope_version as ScopeVersion, scope_attributes as ScopeAttributes,
    attributes as LogAttributes, event_name as EventName, project
from logs_v1
