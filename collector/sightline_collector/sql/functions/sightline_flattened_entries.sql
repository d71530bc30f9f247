-- Flattened attributes as entries in the order of their lists: list, number, the role of those messages that
-- name none ('' where the list is none of messages), part, the part's number, place, field and value, which
-- is JSON. An empty entry closes them. Reads: message_keys. Readers: gathered_spans.
create or replace function sightline_flattened_entries as (keys, texts) -> arrayPushBack(
    arraySort(arrayMap(
        (text, known, numbers) -> (
            known.1, toUInt32OrZero(numbers[1]), known.4, intDiv(known.2, 10), toUInt32OrZero(numbers[2]),
            known.2, known.3,
            multiIf(
                known.3 = 'type', transform(
                    -- Marked, for the call itself stands among the calls.
                    text, ['text', 'reasoning', 'tool_use'], ['"text"', '"reasoning"', '"tool_call"\x03'],
                    concat('"uri","modality":', sightline_json_text(text))),
                known.3 in ('arguments', 'metadata', 'parameters', 'json_schema', 'score')
                    and isValidJSON(text), text,
                sightline_json_text(text))),
        texts,
        arrayMap(
            key -> dictGet(
                '{database}.message_keys', ('list', 'place', 'field', 'role'), sightline_message_key(key)),
            keys),
        arrayMap(key -> extractAll(key, '[.]([0-9]{1,6})[.]'), keys))),
    ('', 0, '', 0, 0, 0, '', ''))
