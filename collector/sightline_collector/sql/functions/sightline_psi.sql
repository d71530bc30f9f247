-- Population stability index of two histograms over the same bins: sum((q - p) ln(q / p)).
-- Units: nats; counts in, an empty bin counts as a share of 1e-4 and shares are not scaled again.
-- Under no drift it is (1/n + 1/m) times a chi-squared variable of bins - 1 degrees of freedom.
-- Reads: nothing. Readers: drift_metrics.
create or replace function sightline_psi as (reference, current) -> arraySum(
    (p, q) -> (q - p) * log(q / p),
    arrayMap(n -> if(n = 0, 1e-4, n / arraySum(reference)), reference),
    arrayMap(n -> if(n = 0, 1e-4, n / arraySum(current)), current))
