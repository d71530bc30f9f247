-- Grain: one alert that is pending or firing now: a rule's instance, or a budget's threshold in an open window.
-- Units: as alert_history; since is when it came into this state.
-- Reads: alert_history. Readers: people, the command line, the web pages.
create or replace view alerts as
with newest as (
    select *
    from alert_history
    order by at desc, state desc
    limit 1 by kind, key, labels)
select
    kind, key, labels, state, severity, at as since, value, threshold, window_start, window_end, title,
    message, delivery, channels
from newest
where state in ('pending', 'firing') and (window_end is null or window_end > now('UTC'))
order by severity desc, key, threshold desc, since
