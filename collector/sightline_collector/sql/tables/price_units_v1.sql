-- Grain: one usage unit of the price data and every unit that contains it; the newest export wins
-- Units: names
-- Reads: -
-- Readers: dictionary price_units
create table if not exists price_units_v1
(
    export UInt32,
    unit String,
    within Array(String)
)
engine = MergeTree
order by (export, unit);
