-- Grain: one data point of a metric
-- Units: UTC; values in `unit`. value is a gauge's or a sum's, NULL for the other kinds, which have
--        count and sum, and when nothing was recorded; bounds are the upper bounds of all buckets but
--        the last
-- Reads: metrics_v1
-- Readers: people; the web pages
create or replace view metrics as
select
    at, name, unit, kind, coalesce(double_value, toFloat64(int_value)) as value, count, sum, min, max,
    service, attributes, temporality, monotonic, started_at, int_value, double_value, bounds, buckets, scale,
    zero_count, zero_threshold, positive_offset, positive_buckets, negative_offset, negative_buckets,
    quantiles, exemplars, description, attribute_types, resource_attributes, resource_types, scope_name,
    scope_version, scope_attributes, flags, notes, received_at, batch, writer, project
from metrics_v1
