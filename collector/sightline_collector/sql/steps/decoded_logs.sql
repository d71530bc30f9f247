-- Grain: one log record. Slices its spelled values apart. A record without a time has the time at which it
-- was observed. An event's name was once the attribute event.name.
-- Reads: spelled_logs. Readers: raw_logs.
select
    came_at as received_at, batch, writer, if(project = '', 'default', project) as project,
    sightline_time(at_ns, came_at) as at,
    sightline_time(record.observed_time_unix_nano, came_at) as observed_at,
    lower(hex(record.trace_id)) as trace_id, lower(hex(record.span_id)) as span_id, record.flags as flags,
    toUInt8(if(record.severity_number between 0 and 24, record.severity_number, 0)) as severity_number,
    sightline_severity(record.severity_number) as severity, record.severity_text as severity_text,
    if(record.event_name = '', attributes['event.name'], record.event_name) as event_name,
    resource_attributes['service.name'] as service, texts[-1] as body, sightline_type(types[-1]) as body_type,
    scope_name, scope_version,
    attributes, sightline_type_map(keys, types, 1, own) as attribute_types,
    resource_attributes, sightline_type_map(keys, types, own + 1, of_resource) as resource_types,
    sightline_text_map(keys, texts, own + of_resource + 1, of_scope) as scope_attributes,
    toUInt32(least(record.dropped_attributes_count, 4294967295)) as dropped_attributes,
    arrayFilter(note -> note != '', [
        if(length(record.trace_id) in (0, 16), '', 'trace_id_length'),
        if(length(record.span_id) in (0, 8), '', 'span_id_length'),
        if(toUnixTimestamp64Nano(at) = at_ns, '', 'time_out_of_range')]) as notes
from (
    select
        *, fromUnixTimestamp64Nano(toInt64(least(received_at, 4102444800000000000)), 'UTC') as came_at,
        if(record.time_unix_nano = 0, record.observed_time_unix_nano, record.time_unix_nano) as at_ns,
        sightline_text_map(keys, texts, 1, own) as attributes,
        sightline_text_map(keys, texts, own + 1, of_resource) as resource_attributes
    from spelled_logs)
