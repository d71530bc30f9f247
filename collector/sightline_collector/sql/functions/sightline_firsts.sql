-- Where each of several lists begins, counted from 1, when they stand one after the other.
-- Reads: nothing. Readers: raw_spans.
create or replace function sightline_firsts as (lists) -> arrayMap(
    (end, list) -> end - length(list) + 1, arrayCumSum(list -> length(list), lists), lists)
