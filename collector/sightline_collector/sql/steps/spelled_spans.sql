-- Grain: one span whose attributes are text, but for nested ones: keys, texts and values are
-- parallel, and so are those of what lies around it: its resource's, its scope's, its events' and its links'
-- attributes one after the other, in one list, so that their conversion is planned once. Its own are apart:
-- they are nearly all there is, and would be copied into a list and out of it.
-- Reads: otlp_items. Readers: unfolded_spans.
select
    * except (shared, pairs),
    span.attributes.key as keys, span.attributes.value as values,
    sightline_plain_texts(values) as texts,
    sightline_types_of(keys, sightline_types(values)) as attribute_types,
    tupleElement(pairs, 'key') as around_keys, tupleElement(pairs, 'value') as around_values,
    sightline_plain_texts(around_values) as around_texts, sightline_types(around_values) as around_types
from (
    select
        *, length(shared) - of_resource as of_scope, length(shared) as before_events,
        before_events + arraySum(e -> length(e.attributes), span.events) as before_links,
        arrayConcat(
            shared, arrayFlatten(span.events.attributes), arrayFlatten(span.links.attributes)) as pairs
    from (select * except item, item as span from otlp_items))
