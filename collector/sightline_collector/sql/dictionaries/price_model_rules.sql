-- Grain: name or pattern of `provider|model` -> number of its model, 0 when unknown; newest export
-- Units: -
-- Reads: price_rules_v1, price_exports_v1
-- Readers: sightline_price_*, priced_spans
create or replace dictionary price_model_rules
(
    regexp String,
    model UInt32 default 0
)
primary key regexp
source(clickhouse(
    query 'select id, parent_id, regexp, keys, values from {database}.price_rules_v1
        where kind = ''model'' and export = (
            select max(export) from {database}.price_exports_v1) order by id'
))
lifetime(0)
layout(regexp_tree);
