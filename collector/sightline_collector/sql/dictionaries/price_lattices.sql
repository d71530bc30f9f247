-- Grain: which counts contradict each other; every export
-- Units: names of usage units
-- Reads: price_lattices_v1
-- Readers: sightline_price_*, price_spans
create or replace dictionary price_lattices
(
    lattice UInt64,
    priced Array(String),
    less Array(Array(String)),
    more Array(Array(String)),
    splits Array(Array(String))
)
primary key lattice
source(clickhouse(db '{database}' table 'price_lattices_v1'))
lifetime(0)
layout(flat(max_array_size 10000000));
