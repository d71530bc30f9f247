-- Grain: one cell of one model's prices: context x day x second of the day x size of the input
-- Units: USD for ONE more of a unit, marginal (a part's price less that of its whole), so it can be
--        negative and is not for people: they read the view prices. request is a fee a call; terms is
--        unknown where a model of one's own had no price yet
-- Reads: -
-- Readers: dictionary price_points
create table if not exists price_points_v1
(
    point UInt32,
    input Decimal(38, 18),
    output Decimal(38, 18),
    cache_read Decimal(38, 18),
    cache_write Decimal(38, 18),
    cache_write_1h Decimal(38, 18),
    reasoning Decimal(38, 18),
    request Decimal(38, 18),
    terms Enum8('priced' = 0, 'free' = 1, 'unknown' = 2),
    source LowCardinality(String),
    lattice UInt32
)
engine = MergeTree
order by point;
