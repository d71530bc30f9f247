-- Grain: one context value (`service_tier=flex`) that changes one model's prices
-- Units: offset is what the value adds to the number of the cell
-- Reads: -
-- Readers: dictionary price_contexts
create table if not exists price_contexts_v1
(
    model UInt32,
    pair String,
    offset UInt32
)
engine = MergeTree
order by (model, pair);
