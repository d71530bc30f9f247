-- Grain: one value of an operation attribute, in lower case, and the operation it means here.
-- Filled from data/operations.csv. Readers: operations.
create table if not exists operations_v1 (value String, operation LowCardinality(String))
engine = MergeTree order by value
