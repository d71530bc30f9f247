-- What an attribute key says, in one number, as dialects has it; 8388735 for a key that it does not have.
-- 16777216 more says that the key is gone: gathered_spans made one attribute of it and others.
-- Reads: dialects. Readers: parted_spans, gathered_spans, conversed_spans, recognised_spans, mapped_spans,
-- sightline_given, sightline_members, decode_otel_traces.
create or replace function sightline_place as (key) ->
    dictGet('{database}.dialects', 'place', cityHash64(key))
