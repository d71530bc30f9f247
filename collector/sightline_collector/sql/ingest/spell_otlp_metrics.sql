-- Grain: one data point. Turns all its attributes into text in one list, so that the conversion is planned
-- once. Reads: otlp_metric_points. Readers: spelled_metrics.
create materialized view spell_otlp_metrics to spelled_metrics as
select
    * except (shared, pairs), tupleElement(pairs, 'key') as keys,
    sightline_texts(tupleElement(pairs, 'value')) as texts,
    sightline_types(tupleElement(pairs, 'value')) as types
from (
    select
        *, length(point.attributes) as own, length(shared) - of_resource as of_scope,
        arrayConcat(point.attributes, shared, arrayFlatten(point.exemplars.filtered_attributes)) as pairs
    from otlp_metric_points)
