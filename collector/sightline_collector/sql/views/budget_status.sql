-- Grain: one budget in force, in the calendar window (UTC) that is open now.
-- Units: as budget_windows. Reads: budget_windows. Readers: people, the command line, dashboards.
create or replace view budget_status as
select
    budget, scope, per, window_start, window_end, spend_usd, limit_usd, share_pct, state, calls,
    unpriced_calls, elapsed_pct, forecast_usd, drivers, channels
from budget_windows
where window_start <= now('UTC') and window_end > now('UTC')
order by share_pct desc
