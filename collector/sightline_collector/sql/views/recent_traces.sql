-- Grain: one trace whose root is among the newest 1,000 spans, newest first
-- Units: as in trace_summary. It exists because it stays fast when there are millions of
--        traces to sort; beyond 1,000 the engine would sort all spans instead of keeping the newest
-- Reads: spans_v1, trace_summary
-- Readers: people; the web pages
create or replace view recent_traces as
with hours as (
    select toStartOfHour(started_at) as hour, countIf(entry = 'span') as spans
    from spans_v1
    group by hour
),
-- The roll-up says how far back they lie, so that only those hours are sorted.
reached as (
    select min(hour) as hour
    from (select hour, spans, sum(spans) over (order by hour desc) as so_far from hours)
    where so_far - spans < 1000
),
newest as (
    select trace_id, started_at
    from spans_v1
    where entry = 'span' and started_at >= (select hour from reached)
    order by started_at desc
    limit 1000
)
select *
from trace_summary
where started_at >= (select min(started_at) from newest)
    -- Said as ids too: an index finds their spans.
    and trace_id in (select trace_id from newest)
order by started_at desc
