-- Grain: one export of the price data; its row is written last: one without it does not count
-- Units: loaded_at in UTC; sold holds the numbers of its models, points counts the cells that it added
-- Reads: -
-- Readers: the loader, dictionaries price_model_rules, price_provider_rules, view prices
create table if not exists price_exports_v1
(
    export UInt32,
    source String,
    fingerprint String,
    models UInt32,
    points UInt32,
    sold Array(UInt32) codec(ZSTD(3)),
    loaded_at DateTime64(3, 'UTC') default now64(3, 'UTC')
)
engine = MergeTree
order by export;
