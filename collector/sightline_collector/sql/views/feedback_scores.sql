-- Grain: one name and source of judgements of one feature, model, prompt version and variant of one
--        project: what is measured under one name stands in one place, whoever measured it
-- Units: scores as given, NULL when none was (labels alone); the 95 % interval of the mean is Wilson's
--        where every score is 0 or 1, and by the normal distribution else; NULL below 2 scores; errors are evaluations that failed; labels are counts.
--        kind is the most frequent one; of judgements that were sent again under their id the last counts
-- Reads: feedback_answers
-- Readers: people; the web pages; alert rules
create or replace view feedback_scores as
with counted as (
    select
        project, name, source, feature, model, prompt_name, prompt_version, experiment, variant,
        anyHeavyIf(kind, kind != 'error') as usual_kind, countIf(kind != 'error') as judgements,
        countIf(kind = 'error') as failed, count(score) as scored, avg(score) as mean,
        1.959963984540054 * stddevSamp(score) / sqrt(scored) as half_width,
        countIf(score = 1) as hits, countIf(score = 1 or score = 0) = scored as yes_or_no,
        min(score) as least, max(score) as greatest, quantileExactInclusive(0.5)(score) as middle,
        sumMapIf(map(label, toUInt64(1)), label != '') as label_counts, max(at) as latest
    from feedback_answers
    group by project, name, source, feature, model, prompt_name, prompt_version, experiment, variant
)
select
    name, source, usual_kind as kind, feature, model, prompt_name, prompt_version, experiment, variant,
    judgements, failed as errors, mean as mean_score,
    multiIf(scored < 2, null, yes_or_no, sightline_wilson_low(hits, scored), mean - half_width)
        as mean_score_low,
    multiIf(scored < 2, null, yes_or_no, sightline_wilson_high(hits, scored), mean + half_width)
        as mean_score_high,
    least as min_score, middle as p50_score, greatest as max_score, label_counts as labels,
    latest as last_at, project
from counted
order by judgements desc, name, source, feature, model, prompt_name, prompt_version, experiment, variant
