-- Grain: one rare unit that may contradict other counts, for one set of priced units
-- Units: lattice numbers the set of priced units; names of usage units. Each sum over units[i],
--        weighted by weights[i], may not be negative; when the part and others[i] are above zero,
--        joins[i] must be reported: it says how much is both
-- Reads: -
-- Readers: dictionary price_checks
create table if not exists price_checks_v1
(
    lattice UInt32,
    part String,
    units Array(Array(String)),
    weights Array(Array(Int8)),
    joins Array(String),
    others Array(String)
)
engine = MergeTree
order by (lattice, part);
