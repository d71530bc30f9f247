-- Grain: one attribute key. `place` is its sign, a bit for a shape of json, and its rank, in one number, so
-- that one look-up a key finds them: 256 * sign + 128 * json + rank; a sign of 255 and a rank of 127 are
-- none. Reads: dialects_v1. Readers: recognised_spans, mapped_spans, sightline_unfolded.
create or replace dictionary dialects (
    key String, column String default '', place UInt16 default 65407, dialect String default '')
primary key key
source(clickhouse(query '
    select
        key, column, dialect,
        256 * if(sign = 0, 255, sign) + 128 * (shape = ''json'') + if(rank = 0, 127, rank) as place
    from {database}.dialects_v1'))
lifetime(0)
layout(complex_key_hashed())
