-- The chance that a chi-squared variable of df degrees of freedom exceeds x: exact for each whole df >= 1,
-- a finite sum when df is even, erfc and a finite sum when it is odd (Abramowitz and Stegun 26.4.4, 26.4.5).
-- Units: a probability; 1 for x <= 0 or df = 0. Reads: nothing. Readers: drift_metrics.
create or replace function sightline_chi2_sf as (x, df) -> if(
    x <= 0 or df = 0,
    1.0,
    if(df % 2 = 1, erfc(sqrt(x / 2)), 0.0) + arraySum(
        i -> exp(-x / 2 + (i + df % 2 / 2) * log(x / 2) - lgamma(i + df % 2 / 2 + 1)),
        range(intDiv(toUInt32(df), 2))))
