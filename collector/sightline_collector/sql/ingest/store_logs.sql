-- Grain: one log record. Reads: raw_logs. Readers: logs_v1.
create materialized view store_logs to logs_v1 as select * from raw_logs
