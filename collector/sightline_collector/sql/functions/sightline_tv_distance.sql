-- Total variation distance of two histograms over the same categories: half the sum of share differences.
-- Units: a share, 0 to 1; counts in. Reads: nothing. Readers: drift_metrics.
create or replace function sightline_tv_distance as (reference, current) -> arraySum(
    (n, m) -> abs(n / arraySum(reference) - m / arraySum(current)), reference, current) / 2
