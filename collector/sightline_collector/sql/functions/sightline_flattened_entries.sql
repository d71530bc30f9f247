-- Flattened attributes as entries in the order of their lists: rank, list, field, how a part and how a
-- message begins with it, and its value, which is JSON. `known` is what message_keys tells of each key; a
-- key's numbers are looked for where it knows the key without them.
-- Reads: sightline_json_text. Readers: gathered_spans.
create or replace function sightline_flattened_entries as (keys, asked, known, texts) -> arraySort(
    entry -> entry.1,
    arrayMap(
        (key, asked_key, its, text) -> (
            its.6 + if(key = asked_key, 0,
                bitShiftLeft(toUInt64OrZero(extractAll(key, '[.]([0-9]{1,6})[.]')[1]), 39)
                    + bitShiftLeft(toUInt64OrZero(extractAll(key, '[.]([0-9]{1,6})[.]')[2]), 16)),
            its.1, its.3, its.4, its.5,
            multiIf(
                its.3 = 'type', transform(
                    -- Marked, for the call itself stands among the calls.
                    text, ['text', 'reasoning', 'tool_use'], ['"text"', '"reasoning"', '"tool_call"\x03'],
                    concat('"uri","modality":', sightline_json_text(text))),
                its.3 in ('arguments', 'metadata', 'parameters', 'json_schema', 'score')
                    and isValidJSON(text), text,
                sightline_json_text(text))),
        keys, asked, known, texts))
