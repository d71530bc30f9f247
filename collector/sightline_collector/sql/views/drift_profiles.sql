-- Grain: one UTC day of one column (output_tokens, finish_reason, refused) of one slice (a model, a feature,
-- or the pair 'model,feature') of model calls; the last 38 days up to the newest span.
-- Units: counts, tokens; histogram counts by cell of sightline_token_cell, for output_tokens; categories
-- counts by category, for the others; nulls are calls that reported none.
-- Reads: spans_v1
-- Served by: answers_daily
-- Readers: drift_metrics, profile_metrics
create or replace view drift_profiles as
with
    -- Grouped first, for then the roll-up answers; a bare max would read every span.
    (
        select toStartOfDay(max(hour)) - interval 37 day
        from (
            select toStartOfHour(started_at) as hour
            from spans_v1
            where toStartOfHour(started_at) <= now('UTC')
            group by hour)
    ) as first_day,
    days as (
        select
            project, toStartOfDay(started_at) as day, feature, model, finish_reason,
            count() as n,
            countIf(refused = 1) as refusals,
            countIf(refused = 0) as answers,
            sum(output_tokens) as sum_tokens,
            min(output_tokens) as min_tokens,
            max(output_tokens) as max_tokens,
            countResample(0, 512, 1)(output_tokens, {type:token_cell}) as cells
        from spans_v1
        where operation = 'llm' and entry = 'span'
            and toStartOfDay(started_at) >= first_day
            and toStartOfDay(started_at) <= now('UTC')
        group by
            project, toStartOfDay(started_at), operation, feature, model, finish_reason, entry),
    slices as (
        select
            project,
            toDate(day) as day,
            arrayJoin(arrayFilter(
                s -> s.2 != '',
                [
                    ('model', toString(model)),
                    ('feature', toString(feature)),
                    ('model,feature', if(model = '' or feature = '', '', concat(model, ',', feature)))
                ])) as slice,
            sum(n) as calls,
            sum(refusals) as refused_calls,
            sum(answers) as answered_calls,
            toUInt64(sum(sum_tokens)) as tokens,
            min(min_tokens) as least_tokens,
            max(max_tokens) as most_tokens,
            sumForEach(cells) as histogram,
            sumMap(map(toString(finish_reason), n)) as reasons
        from days
        group by project, day, slice),
    columns as (
        select
            *,
            arrayJoin([
                ('output_tokens', 'bigint', arraySum(histogram), mapFilter((k, v) -> false, reasons)),
                ('finish_reason', 'string', toUInt64(calls - reasons['']), mapFilter((k, v) -> k != '', reasons)),
                (
                    'refused', 'boolean', refused_calls + answered_calls,
                    mapFilter((k, v) -> v > 0, map('true', refused_calls, 'false', answered_calls))
                )
            ]) as signal
        from slices)
select
    project,
    day,
    slice.1 as slice_key,
    slice.2 as slice_value,
    signal.1 as column_name,
    signal.2 as data_type,
    calls,
    toUInt64(calls - signal.3) as nulls,
    if(data_type = 'bigint', ifNull(tokens, 0), 0) as tokens,
    if(data_type = 'bigint', least_tokens, null) as least_tokens,
    if(data_type = 'bigint', most_tokens, null) as most_tokens,
    if(data_type = 'bigint', histogram, []) as histogram,
    signal.4 as categories
from columns
