-- Grain: one log record, through whichever door it came. Keeps nothing.
-- Reads: decoded_logs, decode_otel_logs. Readers: store_logs, judge_feedback, count_losses.
create table raw_logs ({type:log_facts}) engine = Null
