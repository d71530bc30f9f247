-- Lower end of the Wilson 95 % interval of a share, `hits` of `n`; NULL when n is 0. z = 1.959963984540054.
-- Source: Wilson, Probable inference, the law of succession, and statistical inference (1927).
-- Reads: nothing. Readers: views.
create or replace function sightline_wilson_low as (hits, n) -> multiIf(n = 0, null, hits = 0, 0., (
    hits + 1.9207294103470627 - 1.959963984540054 * sqrt(hits * (n - hits) / n + 0.9603647051735313)
) / (n + 3.8414588206941254))
