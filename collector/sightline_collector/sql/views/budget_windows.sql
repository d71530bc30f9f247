-- Grain: one calendar window (UTC) of one budget: each with spend in the last 70 days, and the current one.
-- Units: USD; share_pct and elapsed_pct in percent of the limit and of the window; drivers are the three
-- (feature / model) pairs that cost most. What has no price adds nothing: unpriced_calls.
-- forecast_usd goes on at the window's own pace: NULL before a tenth of it has passed, and once it is over.
-- channels are told, see budget_limits.
-- State: exceeded from 100 % on, warning from the last threshold below that (80 % when there is none), ok.
-- Reads: budget_limits, usage_hourly; spans_v1 for the users that have a budget. Readers: budget_status,
-- the alert loop.
create or replace view budget_windows as
with
    -- Grouped first, for then the roll-up answers; a bare max would read every span.
    (
        select max(hour) - interval 70 day
        from (
            select toStartOfHour(started_at) as hour
            from spans_v1
            where toStartOfHour(started_at) <= now('UTC')
            group by hour)
    ) as first_hour,
    spent as (
        select
            hour, project, service, feature, model, '' as user_id,
            sum(cost_usd) as usd, sum(calls) as calls, sum(unpriced_calls) as unpriced
        from usage_hourly
        where hour >= first_hour and sightline_model_call(operation)
        group by hour, project, service, feature, model
        union all
        select
            toStartOfHour(started_at) as hour, project, service, feature, model, user_id,
            sum(cost_usd) as usd, sum(s.calls) as calls, sum(s.unpriced) as unpriced
        from spans_v1 as s
        where started_at >= first_hour and sightline_model_call(operation)
            and user_id in (select b.user_id from budget_limits as b where b.user_id != '')
        group by hour, project, service, feature, model, user_id),
    charged as (
        select
            b.budget as budget, b.per as per, s.hour as hour,
            ifNull(s.usd, 0) as usd, s.calls as calls, s.unpriced as unpriced,
            arrayStringConcat(
                arrayFilter(part -> part != '', [toString(s.feature), toString(s.model)]), ' / ') as driver
        from spent as s
        cross join budget_limits as b
        where b.user_id = s.user_id
            and b.project in ('', s.project) and b.service in ('', s.service)
            and b.feature in ('', s.feature) and b.model in ('', s.model)
        union all
        select budget, per, toStartOfHour(now('UTC')), toDecimal128(0, 12), 0, 0, ''
        from budget_limits),
    summed as (
        select
            budget,
            multiIf(
                per = 'hour', toDateTime(hour, 'UTC'),
                per = 'day', toDateTime(toStartOfDay(hour), 'UTC'),
                per = 'week', toDateTime(toMonday(hour), 'UTC'),
                toDateTime(toStartOfMonth(hour), 'UTC')) as window_start,
            sum(usd) as spend,
            sum(calls) as model_calls,
            sum(unpriced) as without_price,
            arraySlice(
                arrayReverseSort(
                    d -> d.2,
                    arrayFilter(
                        d -> d.2 > 0,
                        arrayZip((sumMap([driver], [toFloat64(usd)]) as by_driver).1, by_driver.2))),
                1, 3) as costly
        from charged
        group by budget, window_start),
    timed as (
        select
            *,
            multiIf(
                b.per = 'hour', window_start + interval 1 hour,
                b.per = 'day', window_start + interval 1 day,
                b.per = 'week', window_start + interval 7 day,
                window_start + interval 1 month) as window_end,
            least(1, dateDiff('second', window_start, now('UTC')) / dateDiff('second', window_start, window_end))
                as elapsed,
            100 * toFloat64(spend) / toFloat64(b.limit_usd) as share
        from summed as s
        join budget_limits as b using (budget))
select
    budget,
    scope,
    per,
    window_start,
    window_end,
    spend as spend_usd,
    limit_usd,
    floor(share, 2) as share_pct,
    multiIf(
        share >= 100, 'exceeded',
        share >= arrayMax(arrayPushBack(
            arrayFilter(t -> t < 100, thresholds), if(arrayExists(t -> t < 100, thresholds), 0, 80))),
        'warning',
        'ok') as state,
    model_calls as calls,
    without_price as unpriced_calls,
    round(100 * elapsed, 1) as elapsed_pct,
    if(elapsed < 0.1 or elapsed >= 1, null, toFloat64(spend) / elapsed) as forecast_usd,
    cast(costly, 'Array(Tuple(driver String, usd Float64))') as drivers,
    thresholds,
    set_at,
    channels
from timed
