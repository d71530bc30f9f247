-- Grain: one data point whose attributes are text: keys, texts and types are parallel, and hold one after
-- the other its own, its resource's, its scope's, and its exemplars'. In one list, so that the conversion
-- is planned once. Reads: metric_points. Readers: decoded_metrics.
select
    * except (shared, pairs), tupleElement(pairs, 'key') as keys,
    sightline_texts(tupleElement(pairs, 'value')) as texts,
    sightline_types(tupleElement(pairs, 'value')) as types
from (
    select
        *, length(point.attributes) as own, length(shared) - of_resource as of_scope,
        arrayConcat(point.attributes, shared, arrayFlatten(point.exemplars.filtered_attributes)) as pairs
    from metric_points)
