-- Grain: one span whose attributes are text, but for nested ones: keys, texts and places are parallel.
-- Strings stand first, then whole numbers, then the rest, whose values are kept beside: what is alike is
-- spelled in one go, for what stands under a condition is copied into it and out again. What lies around a
-- span, its resource's, its scope's, its events' and its links' attributes, is one list, one after the other,
-- so that its conversion is planned once. Reads: otlp_items. Readers: unfolded_spans.
select
    * except (shared, pairs, given, tags, whole_keys, other_keys, other_tags),
    arrayConcat(arrayFilter((key, tag) -> tag = 10, given, tags), whole_keys, other_keys) as keys,
    arrayConcat(
        arrayMap(v -> sightline_said_text(v), arrayFilter((v, tag) -> tag = 10, span.attributes.value, tags)),
        arrayMap(
            v -> sightline_whole_text(v), arrayFilter((v, tag) -> tag = 24, span.attributes.value, tags)),
        arrayMap((v, tag) -> sightline_other_text(v, tag), other_values, other_tags)) as texts,
    arrayMap(key -> sightline_place(key), keys) as places,
    sightline_types_of(
        arrayConcat(whole_keys, other_keys),
        arrayConcat(arrayFilter(tag -> tag = 24, tags), other_tags)) as attribute_types,
    tupleElement(pairs, 'key') as around_keys, tupleElement(pairs, 'value') as around_values,
    sightline_plain_texts(around_values) as around_texts, sightline_types(around_values) as around_types
from (
    select
        *, length(shared) - of_resource as of_scope, length(shared) as before_events,
        before_events + arraySum(e -> length(e.attributes), span.events) as before_links,
        arrayConcat(
            shared, arrayFlatten(span.events.attributes), arrayFlatten(span.links.attributes)) as pairs,
        span.attributes.key as given, sightline_types(span.attributes.value) as tags,
        arrayFilter((key, tag) -> tag = 24, given, tags) as whole_keys,
        arrayFilter((key, tag) -> tag not in (10, 24), given, tags) as other_keys,
        arrayFilter((v, tag) -> tag not in (10, 24), span.attributes.value, tags) as other_values,
        arrayFilter(tag -> tag not in (10, 24), tags) as other_tags
    from (select * except item, item as span from otlp_items))
