-- Unix nanoseconds as a time, or `otherwise` when they lie over 400 days before it or over a day after
-- it: a wrong clock must not open partitions. Compared as UInt64, which cannot wrap.
-- Reads: nothing. Readers: mapped_spans, decoded_*, decode_otel_logs.
create or replace function sightline_time as (ns, otherwise) -> if(
    ns between toUInt64(toUnixTimestamp64Nano(otherwise)) - 34560000000000000
        and toUInt64(toUnixTimestamp64Nano(otherwise)) + 86400000000000,
    fromUnixTimestamp64Nano(toInt64(least(ns, 4102444800000000000)), 'UTC'), otherwise)
