-- Whether an AnyValue is an array of one string of at most 120 bytes. Its first six bytes are then
--     '*' n-2 '\n' n-4 '\n' n-6     of n bytes in all
-- and as a little-endian number they are a multiple of n, less a constant.
-- Reads: nothing. Readers: sightline_any_json.
create or replace function sightline_one_short as (v) ->
    length(v) < 127 and reinterpretAsUInt64(substring(v, 1, 6)) + 6554186547670 = length(v) * 1099528405248
