-- Grain: one UTC day (window) of one column of one slice against one comparison (window_cmp, drift_type).
-- Slices: slice_key 'model', 'feature' and the pair 'model,feature'. Columns output_tokens (numeric),
-- finish_reason and refused (categories). Columns are named as in Databricks' drift_metrics, plus n, n_cmp
-- (calls that reported a value), p_value, q_value, threshold, effect_floor, status and top_contributor.
-- Units: tokens for avg_delta and wasserstein_distance, percentage points for percent_*_delta, nats for the
-- population stability index, natural logarithms for js_distance; NULL where a statistic does not apply.
-- Numbers are binned at the baseline's deciles, outer bins open; bins and the ordered statistics see tokens
-- to 1 part in 32 above 64 (sightline_token_cell). Frozen or trailing baseline: see drift_pairs.
-- Status: no_baseline, nothing to compare with; insufficient_data, fewer than 200 values on a side, and no
-- statistic; drift, when identical data would differ so much less than once in 1000 comparisons
-- (p_value; for numbers the index is above threshold, for categories chi2 is), the effect is at least
-- effect_floor (0.1 of the index, 0.05 of tv_distance), and q_value, Benjamini and Hochberg's over the
-- day's comparisons of the project, is below 0.01; ok otherwise.
-- Reads: drift_pairs. Readers: drift_alerts, alert rules, dashboards.
create or replace view drift_metrics as
with
    (select groupArray(sightline_chi2_quantile(0.001, df)) from (select number + 1 as df from numbers(128)))
        as chi2_bounds,
    arrayMap(
        c -> (sightline_token_floor(c) + sightline_token_floor(c + 1) - 1) / 2, range(512)) as places,
    -- Each step names what the next one uses more than once; histograms leave as soon as they can.
    counted as (
        select
            *,
            data_type = 'bigint' as numeric,
            toUInt64(calls - nulls) as n,
            toUInt64(past_calls - past_nulls) as n_cmp
        from drift_pairs),
    sized as (
        select
            * except (histogram, past_histogram),
            n >= 200 and n_cmp >= 200 as enough,
            if(enough, histogram, []) as cells,
            if(enough, past_histogram, []) as past_cells,
            if(enough, arraySort(mapKeys(mapAdd(categories, past_categories))), []) as kinds
        from counted),
    running as (
        select
            * except (categories, past_categories),
            arrayCumSum(cells) as running,
            arrayCumSum(past_cells) as past_running,
            arrayMap(k -> toInt64(categories[k]), kinds) as kind_counts,
            arrayMap(k -> toInt64(past_categories[k]), kinds) as past_kind_counts
        from sized),
    deciled as (
        select
            *,
            arrayPopFront(arrayDifference(
                arrayConcat([0], arrayMap(r -> least(9, intDiv(r * 10, n_cmp)), past_running)))) as deciles
        from running),
    cut as (
        -- A decile met twice is a value so common that it gets a bin of its own. The cell after stands beside:
        -- looked up in the array it would cost the engine a copy of the array a cell.
        select
            * except (deciles),
            arrayFilter(
                (cell, begun, after) -> begun > 0 or after > 1,
                arrayEnumerate(past_running), deciles, arrayResize(arrayPopFront(deciles), length(deciles)))
                as edges
        from deciled),
    binned as (
        select
            * except (running, past_running, kind_counts, past_kind_counts),
            -- An element of a list, not an `if`: behind one all arrays above would be held once more, for later,
            -- and the memory for a single column of the view would be several times that for all.
            [
                arrayPopFront(arrayDifference(arrayConcat([0], arrayMap(e -> running[e], edges), [n]))),
                kind_counts
            ][2 - numeric] as bins,
            [
                arrayPopFront(arrayDifference(
                    arrayConcat([0], arrayMap(e -> past_running[e], edges), [n_cmp]))),
                past_kind_counts
            ][2 - numeric] as past_bins
        from cut),
    measured as (
        select
            * except (cells, past_cells),
            1 / n + 1 / n_cmp as spread,
            toUInt32(greatest(1, arrayCount((x, y) -> x + y > 0, bins, past_bins)) - 1) as df,
            sightline_psi(past_bins, bins) as psi,
            sightline_chi2(past_bins, bins) as chi2,
            sightline_js_distance(past_bins, bins) as js,
            sightline_tv_distance(past_bins, bins) as tv,
            sightline_l_infinity_distance(past_bins, bins) as l_infinity,
            sightline_ks(past_cells, cells) as ks,
            sightline_wasserstein(past_cells, cells, arrayResize(places, length(cells))) as wasserstein,
            100 * (cells[1] / n - past_cells[1] / n_cmp) as zeros_delta,
            arrayMap(
                (x, y) -> abs(x / n - y / n_cmp)
                    * if(numeric, abs(log((x + 0.5) / (y + 0.5) * n_cmp / n)), 1),
                bins, past_bins) as terms
        from binned),
    scaled as (
        select
            * except (terms),
            if(numeric, psi / spread, chi2) as statistic,
            if(numeric, psi, tv) as effect,
            indexOf(terms, arrayMax(terms)) as foremost,
            chi2_bounds[df] * if(numeric, spread, 1) as bound,
            ks / sqrt(spread) as ks_scaled,
            enough and numeric as numbers_known,
            enough and not numeric as kinds_known
        from measured),
    judged as (
        -- An element of a list, too.
        select *, [toNullable(sightline_chi2_sf(statistic, df)), null][2 - enough] as p
        from scaled),
    ranked as (
        select
            *,
            count(p) over (partition by project, day, drift_type) as family,
            row_number() over (partition by project, day, drift_type order by p asc nulls last) as place
        from judged),
    discovered as (
        select
            *,
            min(least(1, p * family / place)) over (
                partition by project, day, drift_type order by place desc
                rows between unbounded preceding and current row) as q
        from ranked)
select
    cast(
        (toDateTime(day, 'UTC'), toDateTime(day + 1, 'UTC')),
        'Tuple(start DateTime(\'UTC\'), end DateTime(\'UTC\'))') as window,
    project,
    '1 day' as granularity,
    slice_key,
    slice_value,
    column_name,
    data_type,
    cast(
        (toDateTime(past_first_day, 'UTC'), toDateTime(past_last_day + 1, 'UTC')),
        'Tuple(start Nullable(DateTime(\'UTC\')), end Nullable(DateTime(\'UTC\')))') as window_cmp,
    drift_type,
    baseline,
    n,
    n_cmp,
    if(n_cmp = 0, null, toInt64(calls) - toInt64(past_calls)) as count_delta,
    if(numeric and n > 0 and n_cmp > 0, tokens / n - past_tokens / n_cmp, null) as avg_delta,
    if(n_cmp = 0, null, 100 * (nulls / calls - past_nulls / past_calls)) as percent_null_delta,
    if(numbers_known, zeros_delta, null) as percent_zeros_delta,
    if(kinds_known, js, null) as js_distance,
    cast(
        (
            if(numbers_known, ks, null),
            if(numbers_known, sightline_kolmogorov_sf(ks_scaled), null)
        ),
        'Tuple(statistic Nullable(Float64), pvalue Nullable(Float64))') as ks_test,
    if(numbers_known, wasserstein, null) as wasserstein_distance,
    if(numbers_known, psi, null) as population_stability_index,
    cast(
        (if(kinds_known, chi2, null), if(kinds_known, p, null)),
        'Tuple(statistic Nullable(Float64), pvalue Nullable(Float64))') as chi_squared_test,
    if(kinds_known, tv, null) as tv_distance,
    if(kinds_known, l_infinity, null) as l_infinity_distance,
    p as p_value,
    if(enough, q, null) as q_value,
    if(enough, bound, null) as threshold,
    if(numeric, 0.1, 0.05) as effect_floor,
    multiIf(
        n_cmp = 0, 'no_baseline',
        not enough, 'insufficient_data',
        p < 0.001 and q < 0.01 and effect >= effect_floor, 'drift',
        'ok') as status,
    -- An element of a list, too.
    [concat(
        multiIf(
            not numeric, kinds[foremost],
            empty(edges), 'any',
            foremost > length(edges),
            concat(toString(sightline_token_floor(edges[foremost - 1])), ' tokens and more'),
            concat(
                toString(if(foremost = 1, 0, sightline_token_floor(edges[foremost - 1]))), ' to ',
                toString(sightline_token_floor(edges[foremost]) - 1), ' tokens')),
        ': ', toString(round(100 * past_bins[foremost] / n_cmp, 1)), ' % -> ',
        toString(round(100 * bins[foremost] / n, 1)), ' %'), ''][2 - enough] as top_contributor
from discovered
