-- Grain: one model as one provider sells it, under one set of prices; export is the first that had it
-- Units: days since 1970-01-01 (UTC), seconds since UTC midnight, starts in input tokens (the next
--        cell begins above them); first and the strides are numbers of cells; digest
--        is that of the prices: a later export that has the same uses this model's number again
-- Reads: -
-- Readers: dictionary price_models
create table if not exists price_models_v1
(
    export UInt32,
    model UInt32,
    provider LowCardinality(String),
    name String,
    digest String,
    first UInt32,
    days Array(UInt16),
    seconds Array(UInt32),
    starts Array(UInt64),
    day_stride UInt16,
    second_stride UInt16
)
engine = MergeTree
order by model;
