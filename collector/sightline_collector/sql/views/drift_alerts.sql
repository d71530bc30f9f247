-- Grain: one row of drift_metrics, as a verdict: a UTC day of one column of one slice (such as
-- 'model=gpt-4o') against one comparison.
-- Units: drift_value is the population stability index (nats) for numbers, the total variation distance (a
-- share) for categories; threshold_value is what it must reach, for numbers the greater of the calibrated
-- threshold and the floor. Status: ALERT, OK, INSUFFICIENT_DATA, NO_BASELINE. A category's ALERT asks for
-- p_value below 0.001 too: see drift_metrics.
-- explained_by names the drifting slice that an ALERT is the mere shadow of ('' when it is itself the cause):
-- a model and a feature that share calls drift together, and the one with the smaller effect is the shadow
-- (the feature, when they are one and the same calls);
-- a pair is the shadow of its model or its feature when that is a cause with at least half its effect.
-- Reads: drift_metrics. Readers: alert rules, dashboards, people.
create or replace view drift_alerts as
with
    judged as (
        select
            project,
            window,
            slice_key,
            slice_value,
            column_name,
            drift_type,
            ifNull(coalesce(population_stability_index, tv_distance), 0) as effect,
            ifNull(if(data_type = 'bigint', greatest(threshold, effect_floor), effect_floor), 0) as bar,
            n,
            n_cmp,
            p_value,
            q_value,
            avg_delta,
            top_contributor,
            status = 'drift' as drifts,
            transform(
                status, ['drift', 'ok', 'insufficient_data', 'no_baseline'],
                ['ALERT', 'OK', 'INSUFFICIENT_DATA', 'NO_BASELINE'], '') as verdict,
            slice_key = 'model,feature' as is_pair,
            groupArrayIf((slice_key, slice_value, effect), drifts and not is_pair) over peers as drifting,
            groupArrayIf(slice_value, is_pair) over peers as pairs
        from drift_metrics
        window peers as (partition by project, window, column_name, drift_type)),
    shadowed as (
        select
            *,
            if(
                not drifts or is_pair,
                [],
                arrayFilter(
                    d -> d.1 != slice_key and (d.3 > effect or d.3 = effect and slice_key = 'feature') and has(
                        pairs,
                        if(slice_key = 'model', concat(slice_value, ',', d.2), concat(d.2, ',', slice_value))),
                    drifting)) as sources,
            groupArrayIf((slice_key, slice_value, effect), drifts and not is_pair and empty(sources)) over (
                partition by project, window, column_name, drift_type) as causes
        from judged),
    traced as (
        select
            *,
            arrayReverseSort(d -> d.3, if(
                drifts and is_pair,
                arrayFilter(
                    d -> d.3 * 2 >= effect and if(
                        d.1 = 'model',
                        startsWith(slice_value, concat(d.2, ',')),
                        endsWith(slice_value, concat(',', d.2))),
                    causes),
                sources)) as found
        from shadowed)
select
    window.start as window_start,
    project,
    column_name,
    concat(slice_key, '=', slice_value) as slice,
    drift_type,
    if(p_value is null, null, effect) as drift_value,
    if(p_value is null, null, bar) as threshold_value,
    verdict as status,
    if(empty(found), '', concat(found[1].1, '=', found[1].2)) as explained_by,
    n,
    n_cmp,
    p_value,
    q_value,
    avg_delta,
    top_contributor
from traced
