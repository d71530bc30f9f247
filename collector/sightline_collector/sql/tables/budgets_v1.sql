-- Grain: one setting or removal of a budget; the newest of an id holds.
-- Units: limit_usd in USD per calendar window in UTC (weeks begin on Monday), thresholds in percent of it. A
-- scope column that is '' admits anything. notify holds addresses with their secrets: private, and only
-- budget_limits shows them, masked.
-- Reads: nothing. Readers: budget_limits, the alert loop. Written by set_budget and remove_budget.
create table if not exists budgets_v1 (
    id String, set_at DateTime64(6, 'UTC'), removed UInt8 default 0,
    project String, service String, feature String, model String, user_id String,
    per Enum8('hour' = 1, 'day' = 2, 'week' = 3, 'month' = 4),
    limit_usd Decimal(18, 6), thresholds Array(UInt16), notify Array(String))
engine = MergeTree order by (id, set_at)
settings fsync_after_insert = 1, fsync_part_directory = 1
