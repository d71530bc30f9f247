-- The types of AnyValues as numbers: the first byte, which is the protobuf tag of the member that is set, and
-- 0 for one that has none. Reads: nothing. Readers: parted_spans, spelled_logs, spelled_metrics.
create or replace function sightline_types as (values_) -> arrayMap(v -> ascii(v), values_)
