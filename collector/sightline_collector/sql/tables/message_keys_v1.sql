-- Grain: one key of messages that senders flatten into attributes, with N for its numbers. `list` is the
-- attribute that holds the whole list again, `field` the name of the value in it, `place` orders a message's
-- fields: its tens are the part that they belong to (0 the message itself, 1 reasoning, 2 content, 3 one of
-- its contents, 4 one of its tool calls, 5 a function call).
-- Filled from data/message_keys.csv. Readers: message_keys.
create table if not exists message_keys_v1 (
    key String, list LowCardinality(String), place UInt8, field LowCardinality(String),
    role LowCardinality(String))
engine = MergeTree order by key
