-- Grain: one trace, with the seconds between which its spans started; Grafana bounds its look-up of a trace
-- by it. Units: UTC, whole seconds. Reads: spans_v1. Readers: people's tools, beside otel_traces_view.
create or replace view otel_traces_view_trace_id_ts as
select
    trace_id as TraceId, toDateTime(min(started_at), 'UTC') as Start, toDateTime(max(started_at), 'UTC') as End,
    project
from spans_v1
group by project, trace_id
