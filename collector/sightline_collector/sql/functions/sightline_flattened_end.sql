-- How a message ends whose last entry has this rank; '' for 0, before any.
-- Reads: nothing. Readers: sightline_flattened.
create or replace function sightline_flattened_end as (rank) -> multiIf(
    rank = 0, '',
    bitAnd(bitShiftRight(rank, 36), 7) > 0, '}]}',
    bitTest(rank, 59), ',"parts":[]}',
    '}')
