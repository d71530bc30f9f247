-- Grain: one log record. Turns its attributes and its body into text in one list, so that the conversion is
-- planned once and runs on nested values only where there are any.
-- Reads: otlp_log_records. Readers: spelled_logs.
create materialized view spell_otlp_logs to spelled_logs as
select
    received_at, batch, writer, project, scope_name, scope_version,
    keys, sightline_texts(values, tags, nested) as texts, sightline_types(tags) as types,
    own, of_resource, of_scope, record
from (
    select *, sightline_nested_texts(values, tags) as nested
    from (
        select
            *, tupleElement(pairs, 'key') as keys,
            arrayPushBack(tupleElement(pairs, 'value'), record.body) as values,
            arrayMap(v -> ascii(v), values) as tags
        from (
            select
                *, length(record.attributes) as own, length(shared) - of_resource as of_scope,
                arrayConcat(record.attributes, shared) as pairs
            from otlp_log_records)))
