-- Grain: one data point. Slices its spelled attributes apart, flattens what it says of a distribution.
-- Reads: spelled_metrics. Readers: metrics_v1.
select
    came_at as received_at, batch, writer, if(project = '', 'default', project) as project,
    sightline_time(point.at_ns, came_at) as at,
    if(point.start_ns = 0, null, sightline_time(point.start_ns, at)) as started_at,
    name, description, unit, kind,
    if(temporality between 0 and 2, temporality, 0) as temporality, monotonic,
    resource_attributes['service.name'] as service, scope_name, scope_version,
    toUInt32(bitAnd(point.flags, 0xffffffff)) as flags,
    point.int_value as int_value, point.double_value as double_value,
    point.distribution.count as count, point.distribution.sum as sum,
    point.distribution.min as min, point.distribution.max as max,
    point.distribution.bounds as bounds, point.distribution.buckets as buckets,
    accurateCastOrNull(point.distribution.scale, 'Int32') as scale,
    point.distribution.zero_count as zero_count, point.distribution.zero_threshold as zero_threshold,
    point.distribution.positive.offset as positive_offset,
    point.distribution.positive.bucket_counts as positive_buckets,
    point.distribution.negative.offset as negative_offset,
    point.distribution.negative.bucket_counts as negative_buckets,
    point.distribution.quantiles as quantiles,
    arrayMap((e, last) -> (
            fromUnixTimestamp64Nano(toInt64(least(e.time_unix_nano, 4102444800000000000)), 'UTC'),
            lower(hex(e.trace_id)), lower(hex(e.span_id)), e.as_int, e.as_double,
            sightline_text_map(keys, texts, before + last - length(e.filtered_attributes) + 1,
                length(e.filtered_attributes)),
            sightline_type_map(keys, types, before + last - length(e.filtered_attributes) + 1,
                length(e.filtered_attributes))),
        point.exemplars, arrayCumSum(e -> length(e.filtered_attributes), point.exemplars)) as exemplars,
    sightline_text_map(keys, texts, 1, own) as attributes,
    sightline_type_map(keys, types, 1, own) as attribute_types,
    resource_attributes, sightline_type_map(keys, types, own + 1, of_resource) as resource_types,
    sightline_text_map(keys, texts, own + of_resource + 1, of_scope) as scope_attributes,
    if(toUnixTimestamp64Nano(at) = point.at_ns, [], ['time_out_of_range']) as notes
from (
    select
        *, fromUnixTimestamp64Nano(toInt64(least(received_at, 4102444800000000000)), 'UTC') as came_at,
        own + of_resource + of_scope as before,
        sightline_text_map(keys, texts, own + 1, of_resource) as resource_attributes
    from spelled_metrics)
