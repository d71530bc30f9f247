-- Grain: one span. Turns all attributes of a span into text in one list, so that the conversion is
-- planned once and runs on nested values only where there are any.
-- Reads: otlp_spans. Readers: spelled_spans.
create materialized view spell_otlp_spans to spelled_spans as
select
    received_at, batch, writer, project, scope_name, scope_version,
    keys, sightline_texts(values, tags, nested) as texts, sightline_types(tags) as types,
    own, of_resource, of_scope, before_events, before_links, span
from (
    select *, sightline_nested_texts(values, tags) as nested
    from (
        select
            *, tupleElement(pairs, 'key') as keys, tupleElement(pairs, 'value') as values,
            arrayMap(v -> ascii(v), values) as tags
        from (
            select
                *, length(span.attributes) as own, length(shared) - of_resource as of_scope,
                own + length(shared) as before_events,
                before_events + arraySum(e -> length(e.attributes), span.events) as before_links,
                arrayConcat(span.attributes, shared, arrayFlatten(span.events.attributes),
                    arrayFlatten(span.links.attributes)) as pairs
            from otlp_spans)))
