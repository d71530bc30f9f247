-- Grain: one key of flattened messages, by its hash, with N for its numbers, and with each of their first
-- ones: to find numbers by a pattern takes longer than all else. `begins` is how a message begins that begins
-- with it, `type` how a part does, `rank` its place among all, by bits from the highest: 4 the list, 1
-- whether it is one of messages, 20 a number, 3 the part, 20 the part's number, 6 the place in it, 10 that
-- tell keys apart. Reads: message_keys_v1. Readers: gathered_spans.
create or replace dictionary message_keys (
    key UInt64, list String default '', place UInt8 default 0, field String default '',
    type String default '', begins String default '', rank UInt64 default 0)
primary key key
source(clickhouse(query '
    with
        intDiv(place, 10) as part,
        multiIf(
            part = 0 or field = ''type'', '''',
            part > 3, ''"type":"tool_call",'',
            part = 1, ''"type":"reasoning",'',
            field = ''uri'', ''"type":"uri",'',
            part = 2 and field = ''id'', ''"type":"tool_call_response",'',
            ''"type":"text",'') as type
    select
        cityHash64(replaceOne(
            replaceOne(message_keys_v1.key, ''.N.'', concat(''.'', first, ''.'')),
            ''.N.'', concat(''.'', second, ''.''))) as key,
        list, place, field, type,
        if(
            role = '''' or field = ''role'', ''{'',
            concat(''{"role":"'', role, if(part = 0, ''",'', ''","parts":[{''), type)) as begins,
        bitShiftLeft(toUInt64(2 * dense_rank() over (order by list) + (role != '''')), 59)
            + bitShiftLeft(toUInt64OrZero(first), 39) + bitShiftLeft(toUInt64(part), 36)
            + bitShiftLeft(toUInt64OrZero(second), 16) + bitShiftLeft(toUInt64(place), 10)
            + cityHash64(message_keys_v1.key) % 1024 as rank
    from {database}.message_keys_v1
    array join arrayConcat([''N''], arrayMap(n -> toString(n), range(16))) as first
    array join multiIf(
        first = ''N'', [''N''], countSubstrings(message_keys_v1.key, ''.N.'') = 1, [''''],
        arrayMap(n -> toString(n), range(4))) as second'))
lifetime(0)
layout(hashed())
