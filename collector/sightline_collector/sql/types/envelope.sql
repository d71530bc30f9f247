-- What the collector knows of each request: when it came, in which segment, written by whom, for whom.
received_at DateTime64(9, 'UTC'), batch UInt64, writer LowCardinality(String),
    project LowCardinality(String)
