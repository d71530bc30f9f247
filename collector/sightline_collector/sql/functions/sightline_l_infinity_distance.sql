-- The largest difference of a category's share between two histograms over the same categories.
-- Units: a share, 0 to 1; counts in. Reads: nothing. Readers: drift_metrics.
create or replace function sightline_l_infinity_distance as (reference, current) -> arrayMax(
    (n, m) -> abs(n / arraySum(reference) - m / arraySum(current)), reference, current)
