-- Flattened attributes as the lists that they were, each its name, a \x02 and its JSON, but for those of
-- messages that say nothing. Each entry is written behind what the one before it, of rank `last`, left open:
-- a part, a message, a list. The marks between lists, and of a part that only says that there is a call, are
-- characters that JSON text cannot contain. `entries` is a column, for it is named often; what ranks say
-- stands in message_keys. Reads: sightline_flattened_end, sightline_unmarked. Readers: gathered_spans.
create or replace function sightline_flattened as (entries) -> arrayFilter(
    list -> list != '' and (position(list, '"parts":[') = 0 or position(list, '"parts":[{') > 0),
    splitByChar('\x01', sightline_unmarked(concat(
        arrayStringConcat(arrayMap(
            (rank, last, list, field, type, begins, json) -> concat(
                multiIf(
                    bitShiftRight(rank, 16) = bitShiftRight(last, 16), ',',
                    bitShiftRight(rank, 39) = bitShiftRight(last, 39), concat(
                        if(bitAnd(bitShiftRight(last, 36), 7) = 0, ',"parts":[{', '},{'), type),
                    concat(
                        sightline_flattened_end(last),
                        multiIf(
                            bitShiftRight(rank, 59) = bitShiftRight(last, 59), ',',
                            last = 0, concat(list, '\x02['),
                            concat(']\x01', list, '\x02[')),
                        begins)),
                '"', if(
                    bitAnd(bitShiftRight(rank, 10), 63) = 22 and bitAnd(bitShiftRight(last, 10), 63) = 21
                        and bitShiftRight(rank, 39) = bitShiftRight(last, 39),
                    'response', field),
                '":', json),
            entries.1, arrayPopBack(arrayPushFront(entries.1, 0)), entries.2, entries.3, entries.4, entries.5,
            entries.6)),
        sightline_flattened_end(entries.1[-1]), if(empty(entries), '', ']')))))
