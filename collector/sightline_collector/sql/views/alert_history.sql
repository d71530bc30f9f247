-- Grain: one transition of an alert: of a rule's instance, or of a budget's window over a threshold.
-- Units: as alert_events_v1. delivery: none when nobody was to be told (or the budget has no channel), waiting
-- while a channel will be tried, failed when one was given up, delivered when all were reached.
-- Reads: alert_events_v1, alert_deliveries_v1. Readers: people, the command line, alerts.
create or replace view alert_history as
with told as (
    select
        event_id,
        arraySort(groupArray(last_outcome)) as outcomes,
        arrayStringConcat(arraySort(groupArray(address)), ', ') as channels,
        max(tried) as attempts
    from (
        select
            event_id, channel, any(shown) as address, max(attempt) as tried,
            toString(argMax(outcome, attempt)) as last_outcome
        from alert_deliveries_v1
        group by event_id, channel)
    group by event_id)
select
    e.at as at,
    e.kind as kind,
    e.key as key,
    e.labels as labels,
    e.state as state,
    e.severity as severity,
    e.value as value,
    e.threshold as threshold,
    e.window_start as window_start,
    e.window_end as window_end,
    e.title as title,
    e.message as message,
    multiIf(
        e.notify = 0 or empty(t.outcomes), 'none',
        has(t.outcomes, 'retry'), 'waiting',
        has(t.outcomes, 'failed'), 'failed',
        'delivered') as delivery,
    ifNull(t.channels, '') as channels,
    ifNull(t.attempts, 0) as attempts,
    e.event_id as event_id
from alert_events_v1 as e
left join told as t using (event_id)
