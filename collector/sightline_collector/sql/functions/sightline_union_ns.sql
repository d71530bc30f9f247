-- How long (ns) the intervals cover together, where each is (stage, is a root, begun, ended): what overlaps
-- counts once; 0 for none. Reads: nothing. Readers: views.
create or replace function sightline_union_ns as (intervals) ->
    arrayReduce('intervalLengthSum', arrayMap(i -> i.3, intervals), arrayMap(i -> i.4, intervals))
