-- Grain: one trace whose root is among the newest 1,000 spans, newest first
-- Units: as in trace_summary. It exists because it stays fast when there are millions of
--        traces to sort; beyond 1,000 the engine would sort all spans instead of keeping the newest
-- Reads: spans_v1, trace_summary
-- Readers: people; the web pages
create or replace view recent_traces as
select *
from trace_summary
where started_at >= (
    select min(started_at)
    from (
        select started_at
        from spans_v1
        order by started_at desc
        limit 1000))
order by started_at desc
