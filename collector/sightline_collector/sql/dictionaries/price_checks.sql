-- Grain: what a rare unit may contradict, for one set of priced units; every export
-- Units: as in price_checks_v1
-- Reads: price_checks_v1
-- Readers: sightline_price_contradicts
create or replace dictionary price_checks
(
    lattice UInt32,
    part String,
    units Array(Array(String)),
    weights Array(Array(Int8)),
    joins Array(String),
    others Array(String)
)
primary key lattice, part
source(clickhouse(db '{database}' table 'price_checks_v1'))
lifetime(0)
layout(complex_key_hashed());
