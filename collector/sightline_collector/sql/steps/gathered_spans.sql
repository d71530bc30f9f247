-- Grain: one span whose flattened lists are whole: what a sender spread over many keys
-- (llm.input_messages.0.message.role, ...) is one attribute again, under the list's name, as JSON; lists of
-- messages are OpenTelemetry's, [{"role", "finish_reason", "parts": [{"type", ...}]}]. The keys that are
-- told by it are marked as gone, by a bit of their places: to take them out would copy all texts. Keys that
-- it does not know stay, finish reasons too, those of messages that say nothing, and all of them when the
-- list's name is an attribute itself. A lambda copies what it closes over once for each key: the lists'
-- names alone, for whole conversations would be gigabytes.
-- Reads: spelled_spans, message_keys. Readers: raw_spans.
select
    * except (
        spread, spread_keys, spread_texts, asked, known, entries, lists, names, list_names, list_texts, stay,
        finish_column
    ) replace (
        list_names as added_keys, if(empty(list_names), [], list_texts) as added_texts,
        -- A number and a place in one, so that those of spread keys find their way back among the others.
        if(empty(list_names), places, arrayConcat(
            arrayMap(numbered -> toUInt32(bitAnd(numbered, 33554431)), arraySort(arrayConcat(
                arrayFilter((numbered, is_spread) -> not is_spread, sightline_numbered(places), spread),
                arrayMap(
                    (numbered, stays) -> if(stays, numbered, bitOr(numbered, 16777216)),
                    arrayFilter((numbered, is_spread) -> is_spread, sightline_numbered(places), spread),
                    stay)))),
            arrayMap(key -> sightline_place(key), list_names))) as places)
from (
    select
        *,
        sightline_flattened(entries) as lists,
        arrayMap(list -> substringIndex(list, '\x02', 1), lists) as names,
        if(hasAny(keys, names), [], names) as list_names,
        arrayMap(list -> substring(list, position(list, '\x02') + 1), lists) as list_texts,
        arrayMap(
            (list, field) -> not has(list_names, list) or field = 'finish_reason',
            known.1, known.3) as stay
    from (
        select
            *,
            arrayMap(
                -- None of them stands in dialects, but for finish reasons: what is known is not searched.
                (key, place) -> (place > 8388607 or bitAnd(place, 16256) = 128 * finish_column)
                    and sightline_spread_key(key),
                keys, places) as spread,
            arrayFilter((key, is_spread) -> is_spread, keys, spread) as spread_keys,
            arrayFilter((text, is_spread) -> is_spread, texts, spread) as spread_texts,
            arrayMap(
                key -> if(
                    dictHas('{database}.message_keys', cityHash64(key)), key, sightline_message_key(key)),
                spread_keys) as asked,
            arrayMap(
                key -> dictGet(
                    '{database}.message_keys', ('list', 'place', 'field', 'type', 'begins', 'rank'),
                    cityHash64(key)),
                asked) as known,
            sightline_flattened_entries(
                arrayFilter((key, its) -> its.2 > 0, spread_keys, known),
                arrayFilter((key, its) -> its.2 > 0, asked, known),
                arrayFilter(its -> its.2 > 0, known),
                arrayFilter((text, its) -> its.2 > 0, spread_texts, known)) as entries
        from (select *, toUInt8(cast('finish' as {type:span_meaning})) as finish_column from spelled_spans)))
