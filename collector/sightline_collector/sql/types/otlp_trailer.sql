-- What the collector appends to a request.
received_at UInt64, batch UInt64, writer LowCardinality(String), project LowCardinality(String)
