-- Grain: the marginal prices of one cell; every export, so that old price ids resolve
-- Units: USD for one more of a unit
-- Reads: price_points_v1
-- Readers: sightline_price_*, priced_spans
create or replace dictionary price_points
(
    point UInt64,
    input Decimal(38, 18) default 0,
    output Decimal(38, 18) default 0,
    cache_read Decimal(38, 18) default 0,
    cache_write Decimal(38, 18) default 0,
    cache_write_1h Decimal(38, 18) default 0,
    reasoning Decimal(38, 18) default 0,
    request Decimal(38, 18) default 0,
    terms UInt8 default 2,
    source String,
    lattice UInt32 default 0
)
primary key point
source(clickhouse(
    query 'select * except terms, toUInt8(terms) as terms from {database}.price_points_v1'
))
lifetime(0)
layout(flat(max_array_size 10000000));
