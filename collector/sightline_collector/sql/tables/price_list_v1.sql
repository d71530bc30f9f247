-- Grain: one unit's price in one cell of one model's prices, as listed
-- Units: usd for `per` units; valid_from is a UTC day (NULL: for ever); from_second since UTC
--        midnight; repeats is 1 when the line only repeats what the lines before it said; override is the id in
--        price_overrides_v1 of what changed the price, '' for a published one
-- Reads: -
-- Readers: views prices, price_history
create table if not exists price_list_v1
(
    model_number UInt32,
    price_id UInt32,
    provider LowCardinality(String),
    model String,
    context String,
    valid_from Nullable(Date),
    from_second UInt32,
    above_input_tokens UInt64,
    unit LowCardinality(String),
    usd Decimal(18, 9),
    per UInt32,
    source LowCardinality(String),
    override String,
    repeats UInt8,
    listed_at DateTime64(3, 'UTC') default now64(3, 'UTC')
)
engine = MergeTree
order by (provider, model, price_id);
