-- Grain: one log record that came through otel_logs. Its values are text and no longer typed.
-- Reads: otel_logs. Readers: raw_logs.
create materialized view decode_otel_logs to raw_logs as
select
    now64(9, 'UTC') as received_at, toUInt64(0) as batch, 'otel_logs' as writer, 'default' as project,
    sightline_time(at_ns, received_at) as at, at as observed_at,
    TraceId as trace_id, SpanId as span_id, toUInt32(TraceFlags) as flags,
    if(SeverityNumber between 0 and 24, SeverityNumber, 0) as severity_number,
    sightline_severity(SeverityNumber) as severity, SeverityText as severity_text,
    if(EventName = '', LogAttributes['event.name'], EventName) as event_name,
    ServiceName as service, Body as body, if(Body = '', 'empty', 'string') as body_type,
    ScopeName as scope_name, ScopeVersion as scope_version,
    LogAttributes as attributes, map() as attribute_types,
    ResourceAttributes as resource_attributes, map() as resource_types,
    ScopeAttributes as scope_attributes, toUInt32(0) as dropped_attributes,
    arrayFilter(note -> note != '', [
        if(length(TraceId) in (0, 32), '', 'trace_id_length'),
        if(length(SpanId) in (0, 16), '', 'span_id_length'),
        if(toUnixTimestamp64Nano(at) = at_ns, '', 'time_out_of_range')]) as notes
from (select *, reinterpretAsUInt64(toUnixTimestamp64Nano(Timestamp)) as at_ns from otel_logs)
