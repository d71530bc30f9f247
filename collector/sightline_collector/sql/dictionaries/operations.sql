-- Grain: one value of an operation attribute. Reads: operations_v1. Readers: mapped_spans.
create or replace dictionary operations (value String, operation String default 'other')
primary key value
source(clickhouse(db '{database}' table 'operations_v1'))
lifetime(0)
layout(complex_key_hashed())
