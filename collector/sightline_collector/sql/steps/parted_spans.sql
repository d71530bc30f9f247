-- Grain: one span whose own attributes are parted by their types: `keys` and `places` are those of strings,
-- of whole numbers, and of the rest, one after the other, and their texts three lists, but for what is
-- nested; the values of the rest are kept beside. What is alike is spelled in one go, for what stands under a
-- condition is copied into it and out again. What lies around a span, its resource's, its scope's, its
-- events' and its links' attributes, is one list, one after the other, so that its conversion is planned
-- once. Reads: otlp_items. Readers: unfolded_spans.
select
    * except (shared, pairs, given, tags, whole_keys, other_keys, other_tags),
    arrayConcat(arrayFilter((key, tag) -> tag = 10, given, tags), whole_keys, other_keys) as keys,
    arrayMap(key -> sightline_place(key), keys) as places,
    arrayMap(v -> sightline_said_text(v), arrayFilter((v, tag) -> tag = 10, span.attributes.value, tags))
        as said_texts,
    arrayMap(v -> sightline_whole_text(v), arrayFilter((v, tag) -> tag = 24, span.attributes.value, tags))
        as whole_texts,
    arrayMap((v, tag) -> sightline_other_text(v, tag), other_values, other_tags) as other_texts,
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
