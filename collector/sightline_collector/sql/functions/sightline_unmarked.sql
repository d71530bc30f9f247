-- A text without its marks, and without the parts that only say that there is a call. Most have none, and the
-- search for a pattern takes longer than all else.
-- Reads: nothing. Readers: sightline_flattened.
create or replace function sightline_unmarked as (marked) -> arrayMap(
    text -> if(
        position(text, '\x03') = 0, text,
        replaceAll(
            replaceRegexpAll(text, '\\{"type":"tool_call"\x03\\},|,\\{"type":"tool_call"\x03\\}', ''),
            '\x03', '')),
    [marked])[1]
