-- A name without its provider, spelled as the gateway spells it that puts all providers under its
-- own name: my-proxy|openai/gpt-4o is litellm|openai/gpt-4o. Not where one serves models oneself: what the
-- same model costs elsewhere is nobody's bill.
-- Units: a name. Reads: nothing. Readers: priced_spans.
create or replace function sightline_price_bare as (name) -> if(
    sightline_price_self_hosted(name) = name,
    replaceRegexpOne(name, '^[^|]*', 'litellm'),
    sightline_price_self_hosted(name))
