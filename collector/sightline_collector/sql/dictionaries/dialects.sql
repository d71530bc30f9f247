-- Grain: one attribute key. `place` is its sign, a bit for any shape, its column and its rank, in one number,
-- so that one look-up a key finds them: 32768 * sign + 16384 * shaped + 128 * column + rank; a sign of 255
-- and a rank of 127 are none, and a key that is not here has a sign of 256. A key is found by its hash: that
-- takes less than half as long as by its text. Reads: dialects_v1.
-- Readers: recognised_spans, mapped_spans, sightline_place, sightline_members.
create or replace dictionary dialects (
    key UInt64, column String default '', place UInt32 default 8388735, dialect String default '',
    shape String default '')
primary key key
source(clickhouse(query '
    select
        cityHash64(d.key) as key, toString(d.column) as column, dialect, shape,
        32768 * if(sign = 0, 255, sign) + 16384 * (shape != '''') + 128 * toUInt8(d.column)
            + if(rank = 0, 127, rank) as place
    from {database}.dialects_v1 as d'))
lifetime(0)
layout(hashed())
