"""The SQL port: ClickHouse's HTTP protocol, read-only, on whichever store the collector has."""
