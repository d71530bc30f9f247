-- Grain: one data point. Turns all its attributes into text in one list, so that the conversion is planned
-- once and runs on nested values only where there are any.
-- Reads: otlp_metric_points. Readers: spelled_metrics.
create materialized view spell_otlp_metrics to spelled_metrics as
select
    * except (pairs, shared, values, tags, nested),
    sightline_texts(values, tags, nested) as texts, sightline_types(tags) as types
from (
    select *, sightline_nested_texts(values, tags) as nested
    from (
        select
            *, tupleElement(pairs, 'key') as keys, tupleElement(pairs, 'value') as values,
            arrayMap(v -> ascii(v), values) as tags
        from (
            select
                *, length(point.attributes) as own, length(shared) - of_resource as of_scope,
                arrayConcat(point.attributes, shared,
                    arrayFlatten(point.exemplars.filtered_attributes)) as pairs
            from otlp_metric_points)))
