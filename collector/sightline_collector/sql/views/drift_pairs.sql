-- Grain: one UTC day of one column of one slice, beside what it is compared with: drift_type BASELINE is the
-- frozen baseline, or the seven days before (this day left out); CONSECUTIVE the day before, if it has calls.
-- Units: as drift_profiles; those of the comparison begin with past_. past_calls is 0 when there is nothing
-- to compare with.
-- Reads: drift_profiles, drift_baselines. Readers: drift_metrics.
create or replace view drift_pairs as
with
    days as (
        select
            *,
            (
                'trailing 7 days', toNullable(min(day) over week), toNullable(max(day) over week),
                ifNull(sum(calls) over week, 0), ifNull(sum(nulls) over week, 0),
                ifNull(sum(tokens) over week, 0), sumForEach(histogram) over week,
                sumMap(categories) over week
            ) as trailing,
            (
                'day before', toNullable(day - 1), toNullable(day - 1),
                ifNull(sum(calls) over yesterday, 0), ifNull(sum(nulls) over yesterday, 0),
                ifNull(sum(tokens) over yesterday, 0), sumForEach(histogram) over yesterday,
                sumMap(categories) over yesterday
            ) as previous
        from drift_profiles
        window
            week as (
                partition by project, slice_key, slice_value, column_name
                order by day range between 7 preceding and 1 preceding),
            yesterday as (
                partition by project, slice_key, slice_value, column_name
                order by day range between 1 preceding and 1 preceding)),
    compared as (
        select
            d.*,
            arrayJoin([
                (
                    'BASELINE',
                    if(
                        b.calls > 0,
                        (
                            b.name, toNullable(b.first_day), toNullable(b.last_day),
                            b.calls, b.nulls, b.tokens, b.histogram, b.categories
                        ),
                        d.trailing)
                ),
                ('CONSECUTIVE', d.previous)
            ]) as comparison
        from days as d
        left join drift_baselines as b using (project, slice_key, slice_value, column_name))
select
    project, day, slice_key, slice_value, column_name, data_type, calls, nulls, tokens, histogram,
    categories,
    comparison.1 as drift_type,
    comparison.2.1 as baseline,
    if(past_calls = 0, null, comparison.2.2) as past_first_day,
    if(past_calls = 0, null, comparison.2.3) as past_last_day,
    comparison.2.4 as past_calls,
    comparison.2.5 as past_nulls,
    comparison.2.6 as past_tokens,
    comparison.2.7 as past_histogram,
    comparison.2.8 as past_categories
from compared
where drift_type = 'BASELINE' or past_calls > 0
