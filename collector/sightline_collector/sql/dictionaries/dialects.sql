-- Grain: one attribute key. Reads: dialects_v1. Readers: mapped_spans.
create or replace dictionary dialects (
    key String, column String default '', rank UInt8 default 0, dialect String default '')
primary key key
source(clickhouse(db '{database}' table 'dialects_v1'))
lifetime(0)
layout(complex_key_hashed())
