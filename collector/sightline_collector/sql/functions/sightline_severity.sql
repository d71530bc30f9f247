-- The level that OTLP's severity number stands for, empty for 0 and what is beyond 24.
-- Reads: nothing. Readers: decode_*_logs.
create or replace function sightline_severity as (number) ->
    ['', 'trace', 'debug', 'info', 'warn', 'error', 'fatal'][
        if(number between 1 and 24, intDiv(number - 1, 4) + 2, 1)]
