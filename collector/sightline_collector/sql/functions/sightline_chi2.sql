-- The two-sample chi-squared statistic of two histograms over the same categories: neither side is taken
-- as exact. Its degrees of freedom are the categories that either side has, less one.
-- Units: none; counts in. Reads: nothing. Readers: drift_metrics.
create or replace function sightline_chi2 as (reference, current) -> arraySum(
    (n, m) -> if(
        n + m = 0,
        0.0,
        pow(
            n * sqrt(arraySum(current) / arraySum(reference))
            - m * sqrt(arraySum(reference) / arraySum(current)),
            2) / (n + m)),
    reference, current)
