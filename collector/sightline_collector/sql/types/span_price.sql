-- What a span adds to the bill in USD, why so or why not, and the price that says it. Quoted by the table of
-- spans and by what fills it.
    cost_usd Nullable(Decimal(18, 12)), cost_status {type:cost_status},
    price_id UInt32, price_source LowCardinality(String)
