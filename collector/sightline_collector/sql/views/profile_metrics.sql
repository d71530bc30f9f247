-- Grain: one UTC day of one column (output_tokens, finish_reason, refused) of one slice (slice_key 'model',
-- 'feature' or the pair 'model,feature') of model calls. Columns are named as in Databricks' profile_metrics.
-- Units: counts of calls; tokens for avg, min, max, quantiles (5, 25, 50, 75, 95 %) and median; percent_*
-- from 0 to 100; NULL where a column has no such statistic. Quantiles see tokens above 64 to 1 part in 32.
-- Reads: drift_profiles. Readers: people, dashboards.
create or replace view profile_metrics as
with
    arrayMap(
        c -> (sightline_token_floor(c) + sightline_token_floor(c + 1) - 1) / 2, range(512)) as places,
    counted as (
        select
            *,
            data_type = 'bigint' as numeric,
            calls - nulls as n,
            arrayCumSum(histogram) as running,
            arrayMap(
                share -> places[arrayFirstIndex(r -> r >= share * n, running)], [0.05, 0.25, 0.5, 0.75, 0.95]
            ) as marks,
            arrayReverseSort(item -> item.2, arrayZip(mapKeys(categories), mapValues(categories))) as items
        from drift_profiles)
select
    cast(
        (toDateTime(day, 'UTC'), toDateTime(day + 1, 'UTC')),
        'Tuple(start DateTime(\'UTC\'), end DateTime(\'UTC\'))') as window,
    project,
    'INPUT' as log_type,
    '1 day' as granularity,
    slice_key,
    slice_value,
    column_name,
    data_type,
    calls as count,
    nulls as num_nulls,
    if(numeric and n > 0, tokens / n, null) as avg,
    least_tokens as min,
    most_tokens as max,
    if(numeric, histogram[1], null) as num_zeros,
    if(numeric and n > 0, marks, []) as quantiles,
    if(numeric and n > 0, toNullable(marks[3]), null) as median,
    toUInt64(if(numeric, arrayCount(c -> c > 0, histogram), length(categories))) as distinct_count,
    100 * nulls / calls as percent_null,
    if(numeric and n > 0, 100 * histogram[1] / n, null) as percent_zeros,
    cast(arraySlice(items, 1, 10), 'Array(Tuple(item String, count UInt64))') as frequent_items
from counted
