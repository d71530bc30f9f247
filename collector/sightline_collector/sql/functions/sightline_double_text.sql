-- A double as JSON that cannot be taken for an integer; NaN and infinities, which JSON lacks, are
-- marked. Reads: nothing. Readers: sightline_any_json.
create or replace function sightline_double_text as (d) ->
    if(isFinite(d),
        if(match(toString(d), '[.e]'), toString(d), concat(toString(d), '.0')),
        concat('{"$double":"', toString(d), '"}'))
