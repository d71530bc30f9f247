-- Grain: one data point of one shape, whatever its metric's kind, beside the attributes of its resource and
-- scope: `shared` holds both, `of_resource` says how many come from the resource; `kind` is metrics_v1's.
-- Reads: otlp_items. Readers: spelled_metrics.
select
    received_at, batch, writer, project, scope_name, scope_version, shared,
    least(own, length(shared)) as of_resource,
    metric.name as name, metric.description as description, metric.unit as unit,
    multiIf(
        notEmpty(metric.gauge.data_points), 1, notEmpty(metric.sum.data_points), 2,
        notEmpty(metric.histogram.data_points), 3, notEmpty(metric.exponential_histogram.data_points), 4,
        5) as kind,
    greatest(metric.sum.aggregation_temporality, metric.histogram.aggregation_temporality,
        metric.exponential_histogram.aggregation_temporality) as temporality,
    metric.sum.is_monotonic != 0 as monotonic,
    -- The elements of metric_point, in its order.
    arrayJoin(arrayConcat(
        arrayMap(
            p -> (p.attributes, p.start_time_unix_nano, p.time_unix_nano, p.flags, p.as_int, p.as_double,
                (null, null, null, null, [], [], null, 0, 0, (0, []), (0, []), []), p.exemplars),
            arrayConcat(metric.gauge.data_points, metric.sum.data_points)),
        arrayMap(
            p -> (p.attributes, p.start_time_unix_nano, p.time_unix_nano, p.flags, null, null,
                (p.count, p.sum, p.min, p.max, p.explicit_bounds, p.bucket_counts, null, 0, 0, (0, []),
                    (0, []), []), p.exemplars),
            metric.histogram.data_points),
        arrayMap(
            p -> (p.attributes, p.start_time_unix_nano, p.time_unix_nano, p.flags, null, null,
                (p.count, p.sum, p.min, p.max, [], [], p.scale, p.zero_count, p.zero_threshold, p.positive,
                    p.negative, []), p.exemplars),
            metric.exponential_histogram.data_points),
        arrayMap(
            p -> (p.attributes, p.start_time_unix_nano, p.time_unix_nano, p.flags, null, null,
                (p.count, ifNull(p.sum, 0), null, null, [], [], null, 0, 0, (0, []), (0, []),
                    p.quantile_values), []),
            metric.summary.data_points))::Array({type:metric_point})) as point
from (select * except item, item as metric from otlp_items)
