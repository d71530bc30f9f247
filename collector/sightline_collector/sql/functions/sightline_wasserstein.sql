-- Wasserstein-1 distance of two histograms over the same ordered values: the area between their cumulative
-- shares.
-- Units: that of the values; counts in. Reads: nothing. Readers: drift_metrics.
create or replace function sightline_wasserstein as (reference, current, places) -> arraySum(
    (n, m, width) -> abs(n / arraySum(reference) - m / arraySum(current)) * width,
    arrayCumSum(reference), arrayCumSum(current), arrayResize(arrayPopFront(arrayDifference(places)), length(places)))
