-- Grain: one span, in the columns of the OpenTelemetry Collector's ClickHouse exporter, for Grafana and
-- whoever else reads otel_traces. That name itself is an insert target and keeps nothing, so the reading
-- side has a name of its own; its time index is named as Grafana derives it, with _trace_id_ts behind.
-- Units: Duration in ns. Reads: spans_v1. Readers: people's tools.
create or replace view otel_traces_view as
select
    started_at as Timestamp, trace_id as TraceId, span_id as SpanId, parent_span_id as ParentSpanId,
    trace_state as TraceState, name as SpanName, initcap(toString(kind)) as SpanKind,
    service as ServiceName, resource_attributes as ResourceAttributes,
    scope_name as ScopeName, scope_version as ScopeVersion,
    mapConcat(attributes, mapFilter((key, text) -> key != '', map(input_key, input, output_key, output)))
        as SpanAttributes,
    toUInt64(round(duration_ms * 1000000)) as Duration, initcap(toString(status)) as StatusCode,
    status_message as StatusMessage,
    events.at as `Events.Timestamp`, events.name as `Events.Name`, events.attributes as `Events.Attributes`,
    links.trace_id as `Links.TraceId`, links.span_id as `Links.SpanId`,
    links.trace_state as `Links.TraceState`, links.attributes as `Links.Attributes`,
    project
from spans_v1
where entry = 'span'
