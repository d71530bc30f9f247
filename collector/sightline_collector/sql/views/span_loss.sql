-- Grain: one reason for which one place lost items of one signal and service: a sender that dropped
--        them, or a collector that refused them
-- Units: items are spans, log records or data points; UTC. No row: nothing was lost that anyone knows of
-- Reads: losses_v1
-- Readers: people; the web pages; alert rules
create or replace view span_loss as
select
    place, signal, service, reason, sum(l.items) as items, count() as reports, min(l.at) as first_seen_at,
    max(l.at) as last_seen_at, project
from losses_v1 as l
group by project, place, signal, service, reason
order by items desc, place, signal, service, reason
