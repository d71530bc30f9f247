-- Grain: one log record whose values are text: keys, texts and types are parallel, and hold one after the
-- other its own attributes, its resource's, its scope's, and last its body. In one list, so that the
-- conversion is planned once. Reads: otlp_items. Readers: decoded_logs.
select
    * except (shared, pairs), tupleElement(pairs, 'key') as keys,
    sightline_texts(arrayPushBack(tupleElement(pairs, 'value'), record.body)) as texts,
    sightline_types(arrayPushBack(tupleElement(pairs, 'value'), record.body)) as types
from (
    select
        *, length(record.attributes) as own, length(shared) - of_resource as of_scope,
        arrayConcat(record.attributes, shared) as pairs
    from (select * except item, item as record from otlp_items))
