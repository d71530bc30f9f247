-- Whether an AnyValue is an array of one string of at most 121 bytes. Its first six bytes are then
--     '*' n-2 '\n' n-4 '\n' n-6     of n bytes in all
-- and as a little-endian number they are a multiple of n, less a constant. Of longer ones none
-- makes that number, since their lengths take more bytes.
-- Reads: nothing. Readers: sightline_other_text, sightline_any_json.
create or replace function sightline_one_short as (v) ->
    reinterpretAsUInt64(substring(v, 1, 6)) + 6554186547670 = length(v) * 1099528405248
