-- The x that a chi-squared variable of df degrees of freedom exceeds with chance alpha: sightline_chi2_sf
-- turned round by halving [0, 2000] 64 times, which is all that a double holds. df up to 1000.
-- Units: that of the statistic. Reads: sightline_chi2_sf. Readers: drift_metrics.
create or replace function sightline_chi2_quantile as (alpha, df) -> arrayFold(
    (bounds, step) -> if(
        sightline_chi2_sf((bounds.1 + bounds.2) / 2, df) > alpha,
        ((bounds.1 + bounds.2) / 2, bounds.2),
        (bounds.1, (bounds.1 + bounds.2) / 2)),
    range(64),
    (0.0, 2000.0)).1
