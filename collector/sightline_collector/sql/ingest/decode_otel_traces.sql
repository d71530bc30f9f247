-- Grain: one span that came through otel_traces. Its attributes are text and no longer typed. Kind and
-- status are words, with or without the prefix of older exporters.
-- The columns are said, or the engine would plan all steps once more to learn them.
-- Reads: otel_traces. Readers: otel_spans.
create materialized view decode_otel_traces to otel_spans ({type:span_facts}) as
with spelled_spans as (
select
    now64(9, 'UTC') as received_at, toUInt64(0) as batch, 'otel_traces' as writer, 'default' as project,
    TraceId as trace_id, SpanId as span_id, ParentSpanId as parent_span_id, TraceState as trace_state,
    toUInt32(0) as flags, SpanName as name,
    toInt64(indexOf(
        ['internal', 'server', 'client', 'producer', 'consumer'],
        replaceOne(lower(SpanKind), 'span_kind_', ''))) as kind,
    -- The bits of the unsigned nanoseconds: a start beyond 2262 is negative here and comes out as it was.
    reinterpretAsUInt64(toUnixTimestamp64Nano(Timestamp)) as start_ns, start_ns + Duration as end_ns,
    toInt64(indexOf(['ok', 'error'], replaceOne(lower(StatusCode), 'status_code_', ''))) as status_code,
    StatusMessage as status_message, ScopeName as scope_name, ScopeVersion as scope_version,
    CAST(mapKeys(SpanAttributes), 'Array(String)') as keys, mapValues(SpanAttributes) as texts,
    emptyArrayString() as added_keys, emptyArrayString() as added_texts,
    arrayMap(key -> sightline_place(key), keys) as places,
    map() as attribute_types,
    if(mapContains(ResourceAttributes, 'service.name') or ServiceName = '', ResourceAttributes,
        mapConcat(ResourceAttributes, map('service.name', toString(ServiceName)))) as resource_attributes,
    map() as resource_types, map() as scope_attributes,
    arrayMap((at, name, pairs) -> (at, name, pairs, map()),
        Events.Timestamp, Events.Name, Events.Attributes) as events,
    arrayMap((trace, span, state, pairs) -> (trace, span, state, pairs, map()),
        Links.TraceId, Links.SpanId, Links.TraceState, Links.Attributes) as links,
    toUInt32(0) as dropped_attributes, toUInt32(0) as dropped_events, toUInt32(0) as dropped_links
from otel_traces),
{steps:gathered_spans},
raw_spans as (select * from gathered_spans),
{steps:conversed_spans recognised_spans mapped_spans}
select * from mapped_spans
