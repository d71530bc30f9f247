-- The smallest count in a cell of sightline_token_cell's grid; the next cell's, less one, is the largest.
-- Units: tokens. Reads: nothing. Readers: drift_metrics, profile_metrics.
create or replace function sightline_token_floor as (cell) -> if(
    cell < 64, toUInt32(cell), bitShiftLeft(toUInt32(cell % 32 + 32), toUInt8(intDiv(cell, 32) - 1)))
