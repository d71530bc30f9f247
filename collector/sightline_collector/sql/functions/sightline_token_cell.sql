-- The cell of a count of tokens on the fixed grid of {type:token_cell}, 0 to 511.
-- Units: a cell's number. Reads: nothing. Readers: people who compare with drift_profiles.
create or replace function sightline_token_cell as (output_tokens) -> {type:token_cell}
