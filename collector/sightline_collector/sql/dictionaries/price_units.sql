-- Grain: which units contain a unit; the newest export
-- Units: names of usage units
-- Reads: price_units_v1, price_exports_v1
-- Readers: sightline_price_*, price_spans
create or replace dictionary price_units
(
    unit String,
    within Array(String)
)
primary key unit
source(clickhouse(
    query 'select unit, within from {database}.price_units_v1
        where export = (select max(export) from {database}.price_exports_v1)'
))
lifetime(0)
layout(complex_key_hashed());
