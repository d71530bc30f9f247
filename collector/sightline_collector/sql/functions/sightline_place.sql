-- What an attribute key says, in one number, as dialects has it. Reads: dialects. Readers: spelled_spans,
-- gathered_spans, conversed_spans, recognised_spans, sightline_unfolded, decode_otel_traces.
create or replace function sightline_place as (key) ->
    dictGet('{database}.dialects', 'place', cityHash64(key))
