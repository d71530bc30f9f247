-- The text of an attribute that dialects knows, found by its place, which it has alone: comparing numbers
-- takes a fifth of comparing names. Empty when it is missing; among ranks, also when it says nothing.
-- Reads: sightline_place. Readers: recognised_spans, mapped_spans.
create or replace function sightline_given as (key, places, texts) ->
    texts[indexOf(places, sightline_place(key))]
