-- The same for columns under other names: views whose own columns hide those of the table.
create or replace function sightline_unpriced as (cost_usd, status, input_tokens, output_tokens) ->
    {type:unpriced}
