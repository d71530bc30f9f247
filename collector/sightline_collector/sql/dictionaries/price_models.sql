-- Grain: where a model's cells are and what finds one; every export
-- Units: as in price_models_v1
-- Reads: price_models_v1
-- Readers: sightline_price_*, priced_spans
create or replace dictionary price_models
(
    model UInt64,
    first UInt32 default 0,
    days Array(UInt16),
    seconds Array(UInt32),
    starts Array(UInt64),
    day_stride UInt16 default 0,
    second_stride UInt16 default 0
)
primary key model
source(clickhouse(db '{database}' table 'price_models_v1'))
lifetime(0)
layout(flat(max_array_size 10000000));
