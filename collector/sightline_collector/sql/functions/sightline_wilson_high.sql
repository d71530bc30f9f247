-- Upper end of the Wilson 95 % interval of a share: what is left of the lower end of its opposite.
-- NULL when n is 0. Reads: nothing. Readers: views.
create or replace function sightline_wilson_high as (hits, n) -> 1 - sightline_wilson_low(n - hits, n)
