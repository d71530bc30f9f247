-- Whether what a client returned may tell of the bill: most texts do not, and are not looked into.
-- Reads: nothing. Readers: recognised_spans.
create or replace function sightline_tells_usage as (answer) ->
    startsWith(answer, '{') and position(answer, '"usage"') + position(answer, '"service_tier"') > 0
