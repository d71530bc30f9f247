-- Grain: one span of any dialect, whose flattened lists are whole: what a sender spread over many keys
-- (llm.input_messages.0.message.role, ...) is one attribute again, under the list's name, as JSON; lists of
-- messages are OpenTelemetry's, [{"role", "finish_reason", "parts": [{"type", ...}]}]. Keys that it does
-- not know stay, finish reasons too, those of messages that say nothing, and all of them when the list's
-- name is an attribute itself. A lambda copies what it closes over once for each key: the lists' names alone,
-- for whole conversations would be gigabytes. Reads: raw_spans, message_keys. Readers: conversed_spans.
select
    * except (spread, flat, entries, lists, list_names) replace (
        if(
            empty(lists) or hasAny(mapKeys(attributes), list_names), attributes,
            mapConcat(
                mapFilter((key, text) -> not sightline_spread_key(key), attributes),
                mapFilter(
                    (key, text) -> not has(list_names, dictGet(
                            '{database}.message_keys', 'list', sightline_message_key(key)))
                        or endsWith(key, '.finish_reason'),
                    spread),
                lists)) as attributes)
from (
    select
        *,
        if(empty(entries), map(), mapFilter(
            (list, json) -> position(json, '"parts":[') = 0 or position(json, '"parts":[{') > 0,
            sightline_flattened(entries))) as lists,
        mapKeys(lists) as list_names
    from (
        select
            *,
            if(
                arrayExists(key -> sightline_spread_key(key), mapKeys(attributes)),
                mapFilter((key, text) -> sightline_spread_key(key), attributes),
                CAST(map(), 'Map(LowCardinality(String), String)')) as spread,
            mapFilter(
                (key, text) -> dictGet(
                    '{database}.message_keys', 'place', sightline_message_key(key)) > 0,
                spread) as flat,
            if(empty(flat), [], sightline_flattened_entries(mapKeys(flat), mapValues(flat))) as entries
        from raw_spans))
