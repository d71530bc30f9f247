-- Jensen-Shannon distance of two histograms over the same categories: the root of the divergence, natural
-- logarithms, between 0 and sqrt(ln 2).
-- Units: none; counts in. Reads: nothing. Readers: drift_metrics.
create or replace function sightline_js_distance as (reference, current) -> sqrt(greatest(0.0, arraySum(
    (p, q) -> if(p > 0, p * log(2 * p / (p + q)), 0.0) / 2 + if(q > 0, q * log(2 * q / (p + q)), 0.0) / 2,
    arrayMap(n -> n / arraySum(reference), reference),
    arrayMap(n -> n / arraySum(current), current))))
