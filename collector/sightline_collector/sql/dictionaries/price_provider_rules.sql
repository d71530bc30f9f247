-- Grain: what a span says -> `provider|model`, empty when no such provider; the newest export
-- Units: -
-- Reads: price_rules_v1, price_exports_v1
-- Readers: sightline_price_*, priced_spans
create or replace dictionary price_provider_rules
(
    regexp String,
    key String default ''
)
primary key regexp
source(clickhouse(
    query 'select id, parent_id, regexp, keys, values from {database}.price_rules_v1
        where kind = ''provider'' and export = (
            select max(export) from {database}.price_exports_v1) order by id'
))
lifetime(0)
layout(regexp_tree);
