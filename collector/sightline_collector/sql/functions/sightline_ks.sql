-- Kolmogorov-Smirnov statistic of two histograms over the same ordered values: the largest distance of
-- their cumulative shares.
-- Units: a share, 0 to 1; counts in. Reads: nothing. Readers: drift_metrics.
create or replace function sightline_ks as (reference, current) -> arrayMax(
    (n, m) -> abs(n / arraySum(reference) - m / arraySum(current)),
    arrayCumSum(reference), arrayCumSum(current))
