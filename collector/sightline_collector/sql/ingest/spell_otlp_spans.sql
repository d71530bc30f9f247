-- Grain: one span. Turns all attributes of a span into text in one list, so that the conversion is planned
-- once. Reads: otlp_spans. Readers: spelled_spans.
create materialized view spell_otlp_spans to spelled_spans as
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
    from otlp_spans)
