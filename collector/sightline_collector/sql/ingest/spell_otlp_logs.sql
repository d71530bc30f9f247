-- Grain: one log record. Turns its attributes and its body into text in one list, so that the conversion is
-- planned once. Reads: otlp_log_records. Readers: spelled_logs.
create materialized view spell_otlp_logs to spelled_logs as
select
    * except (shared, pairs), tupleElement(pairs, 'key') as keys,
    sightline_texts(arrayPushBack(tupleElement(pairs, 'value'), record.body)) as texts,
    sightline_types(arrayPushBack(tupleElement(pairs, 'value'), record.body)) as types
from (
    select
        *, length(record.attributes) as own, length(shared) - of_resource as of_scope,
        arrayConcat(record.attributes, shared) as pairs
    from otlp_log_records)
