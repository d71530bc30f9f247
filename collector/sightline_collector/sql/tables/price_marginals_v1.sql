-- Grain: one unit of one price cell without a column in price_points_v1 (audio, searches ...)
-- Units: USD for ONE more of the unit, marginal; at_least is the smallest count billed
-- Reads: -
-- Readers: dictionary price_marginals
create table if not exists price_marginals_v1
(
    point UInt32,
    unit String,
    usd Decimal(38, 18),
    at_least UInt32
)
engine = MergeTree
order by (point, unit);
