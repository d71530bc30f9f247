-- Grain: one set of priced units that contain or overlap each other
-- Units: names of usage units. The counts in more[i] together may not exceed those in less[i];
--        splits[i] is [join, left, right]: with left and right above zero, join must be reported;
--        a reported part may not exceed a whole that is in priced
-- Reads: -
-- Readers: dictionary price_lattices
create table if not exists price_lattices_v1
(
    lattice UInt32,
    priced Array(String),
    less Array(Array(String)),
    more Array(Array(String)),
    splits Array(Array(String))
)
engine = MergeTree
order by lattice;
