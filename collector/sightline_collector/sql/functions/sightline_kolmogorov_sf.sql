-- The chance that Kolmogorov's variable exceeds x, where x is the two-sample statistic times
-- sqrt(n m / (n + m)): the asymptotic p-value. Below 0.2 it is 1 to twelve digits, and 25 terms are more
-- than enough above.
-- Units: a probability. Reads: nothing. Readers: drift_metrics.
create or replace function sightline_kolmogorov_sf as (x) -> if(
    x < 0.2,
    1.0,
    least(1.0, 2 * arraySum(k -> if(k % 2 = 1, 1, -1) * exp(-2 * k * k * x * x), range(1, 26))))
