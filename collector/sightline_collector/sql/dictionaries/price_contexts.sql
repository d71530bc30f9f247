-- Grain: what a context value adds to the number of a cell; every export
-- Units: numbers of cells
-- Reads: price_contexts_v1
-- Readers: sightline_price_*, priced_spans
create or replace dictionary price_contexts
(
    model UInt32,
    pair String,
    offset UInt32 default 0
)
primary key model, pair
source(clickhouse(db '{database}' table 'price_contexts_v1'))
lifetime(0)
layout(complex_key_hashed());
