-- Grain: the marginal price of a rare unit in one cell; every export
-- Units: USD for one more of the unit
-- Reads: price_marginals_v1
-- Readers: sightline_price_*, priced_spans
create or replace dictionary price_marginals
(
    point UInt32,
    unit String,
    usd Decimal(38, 18) default 0,
    at_least UInt32 default 0
)
primary key point, unit
source(clickhouse(db '{database}' table 'price_marginals_v1'))
lifetime(0)
layout(complex_key_hashed());
