-- Grain: one span whose attributes are text: keys, texts and types are parallel, and hold one after
-- the other its own, its resource's, its scope's, its events' and its links'. In one list, so that the
-- conversion is planned once. Reads: otlp_items. Readers: raw_spans.
select
    * except (shared, pairs), tupleElement(pairs, 'key') as keys,
    sightline_texts(tupleElement(pairs, 'value')) as texts,
    sightline_types(tupleElement(pairs, 'value')) as types
from (
    select
        *, length(span.attributes) as own, length(shared) - of_resource as of_scope,
        own + length(shared) as before_events,
        before_events + arraySum(e -> length(e.attributes), span.events) as before_links,
        arrayConcat(span.attributes, shared, arrayFlatten(span.events.attributes),
            arrayFlatten(span.links.attributes)) as pairs
    from (select * except item, item as span from otlp_items))
