-- Grain: one transition of an alert: a rule's instance changed its state, a budget's window passed a threshold.
-- Units: value and threshold in the rule's own unit, for budgets percent of the limit; at is when it was found.
-- event_id is derived from what happened, so that finding it twice is seen. notify: 1 when people are told;
-- message is what they are told.
-- Reads: nothing. Readers: alerts, alert_history, the alert loop. Written by the alert loop.
create table if not exists alert_events_v1 (
    event_id String, at DateTime64(3, 'UTC'), kind Enum8('rule' = 1, 'budget' = 2), key LowCardinality(String),
    labels Map(String, String),
    state Enum8('inactive' = 0, 'pending' = 1, 'firing' = 2, 'resolved' = 3),
    severity Enum8('info' = 1, 'warning' = 2, 'critical' = 3),
    value Nullable(Float64), threshold Nullable(Float64),
    window_start Nullable(DateTime('UTC')), window_end Nullable(DateTime('UTC')),
    title String, message String, notify UInt8)
engine = MergeTree order by (kind, key, at)
