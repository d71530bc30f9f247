-- Grain: one key of flattened messages. Reads: message_keys_v1. Readers: conversed_spans.
create or replace dictionary message_keys (
    key String, list String default '', place UInt8 default 0, field String default '',
    role String default '')
primary key key
source(clickhouse(db '{database}' table 'message_keys_v1'))
lifetime(0)
layout(complex_key_hashed())
