-- Grain: one row of one of two regular expression trees, in one export: `model` rules give
--        `provider|model` a model number, `provider` rules rewrite what a span says to
--        `provider|model`
-- Units: ids count from 1 in each tree, parent 0 is the root, siblings are tried in order of id
-- Reads: -
-- Readers: dictionaries price_model_rules, price_provider_rules
create table if not exists price_rules_v1
(
    export UInt32,
    kind LowCardinality(String),
    id UInt64,
    parent_id UInt64,
    regexp String,
    keys Array(String),
    values Array(String)
)
engine = MergeTree
order by (export, kind, id);
