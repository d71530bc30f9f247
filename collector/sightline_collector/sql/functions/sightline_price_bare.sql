-- A name without its provider, spelled as the gateway spells it that puts all providers under its
-- own name: my-proxy|openai/gpt-4o is litellm|openai/gpt-4o.
-- Units: a name. Reads: nothing. Readers: priced_spans.
create or replace function sightline_price_bare as (name) ->
    replaceRegexpOne(name, '^[^|]*', 'litellm')
