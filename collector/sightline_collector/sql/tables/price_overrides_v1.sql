-- Grain: one setting of an override: a discount, prices of one's own, or what a GPU costs an hour; the newest of
-- an id holds, the others are its history
-- Units: UTC; valid_until is the first day on which it does not hold; discount_pct in percent of the published
--        price; prices in USD for as many units as a price list says; tokens_per_second of all gpus together,
--        read and written; provider '' is whoever sells no such model, a model may end in *
-- Reads: -
-- Readers: the loader, views price_overrides, price_history
create table if not exists price_overrides_v1
(
    id String,
    set_at DateTime64(6, 'UTC'),
    set_by String,
    provider String,
    model String,
    valid_from Date,
    valid_until Nullable(Date),
    discount_pct Nullable(Decimal(9, 4)),
    prices Map(String, Decimal(18, 9)),
    usd_per_gpu_hour Nullable(Decimal(18, 6)),
    gpus UInt32,
    tokens_per_second Nullable(Decimal(18, 3)),
    note String
)
engine = MergeTree
order by (id, set_at)
settings fsync_after_insert = 1, fsync_part_directory = 1;
