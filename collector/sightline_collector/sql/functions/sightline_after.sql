-- How long after a start in Unix ns an ISO time is, quoted or not: empty when it is missing or no time.
-- Units: ms, as text. Reads: nothing. Readers: mapped_spans.
create or replace function sightline_after as (text, start_ns) -> if(text = '', '', ifNull(toString(
    (toUnixTimestamp64Micro(parseDateTime64BestEffortOrNull(trim(both '"' from text), 6, 'UTC'))
        - toInt64(intDiv(start_ns, 1000))) / 1000), ''))
