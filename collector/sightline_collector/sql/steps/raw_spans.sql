-- Grain: one span of any dialect, decoded and not yet understood: its spelled attributes sliced apart.
-- Times in ns. Keys are LowCardinality only where they are stored: to lambdas they are texts again.
-- Reads: gathered_spans. Readers: conversed_spans.
select
    fromUnixTimestamp64Nano(toInt64(least(received_at, 4102444800000000000)), 'UTC') as received_at,
    batch, writer, if(project = '', 'default', project) as project,
    lower(hex(span.trace_id)) as trace_id, lower(hex(span.span_id)) as span_id,
    lower(hex(span.parent_span_id)) as parent_span_id, span.trace_state as trace_state,
    span.flags as flags, span.name as name, span.kind as kind,
    span.start_time_unix_nano as start_ns, span.end_time_unix_nano as end_ns,
    span.status.code as status_code, span.status.message as status_message,
    scope_name, scope_version,
    keys, texts, added_keys, added_texts, places, attribute_types,
    sightline_text_map(around_keys, around_texts, 1, of_resource) as resource_attributes,
    sightline_type_map(around_keys, around_types, 1, of_resource) as resource_types,
    sightline_text_map(around_keys, around_texts, of_resource + 1, of_scope) as scope_attributes,
    arrayMap((e, first) -> (
            fromUnixTimestamp64Nano(toInt64(least(e.time_unix_nano, 4102444800000000000)), 'UTC'), e.name,
            sightline_text_map(around_keys, around_texts, before_events + first, length(e.attributes)),
            sightline_type_map(around_keys, around_types, before_events + first, length(e.attributes))),
        span.events, sightline_firsts(span.events.attributes)) as events,
    arrayMap((l, first) -> (
            lower(hex(l.trace_id)), lower(hex(l.span_id)), l.trace_state,
            sightline_text_map(around_keys, around_texts, before_links + first, length(l.attributes)),
            sightline_type_map(around_keys, around_types, before_links + first, length(l.attributes))),
        span.links, sightline_firsts(span.links.attributes)) as links,
    span.dropped_attributes_count as dropped_attributes,
    span.dropped_events_count as dropped_events, span.dropped_links_count as dropped_links
from gathered_spans
