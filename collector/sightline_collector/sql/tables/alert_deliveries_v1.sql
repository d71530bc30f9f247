-- Grain: one attempt to tell one channel of one event.
-- Units: channel is a hash of the address, shown is the address without its secrets; attempt counts from 1;
-- outcome retry will be tried again, failed will not.
-- Reads: nothing. Readers: alert_history, the alert loop. Written by the alert loop.
create table if not exists alert_deliveries_v1 (
    event_id String, channel String, shown String, attempt UInt8,
    outcome Enum8('delivered' = 1, 'retry' = 2, 'failed' = 3), error String, at DateTime64(3, 'UTC'))
engine = MergeTree order by (event_id, channel, attempt)
