-- Grain: one span whose attributes are text, but for nested ones: keys, texts, types and values are
-- parallel, and hold one after the other its own, its resource's, its scope's, its events' and its links'.
-- In one list, so that the conversion is planned once. Reads: otlp_items. Readers: unfolded_spans.
select
    * except (shared, pairs), tupleElement(pairs, 'key') as keys, tupleElement(pairs, 'value') as values,
    sightline_plain_texts(values) as texts, sightline_types(values) as types
from (
    select
        *, length(span.attributes) as own, length(shared) - of_resource as of_scope,
        own + length(shared) as before_events,
        before_events + arraySum(e -> length(e.attributes), span.events) as before_links,
        arrayConcat(span.attributes, shared, arrayFlatten(span.events.attributes),
            arrayFlatten(span.links.attributes)) as pairs
    from (select * except item, item as span from otlp_items))
