-- The model that one spelling of a name means: by the provider's rules, then by the model's; 0 for
-- none.
-- Units: name is `provider|model` in lower case; the model is a number of price_models_v1.
-- Reads: price_provider_rules, price_model_rules. Readers: priced_spans.
create or replace function sightline_price_model as (name) -> dictGet(
    '{database}.price_model_rules', 'model',
    dictGet('{database}.price_provider_rules', 'key', name))
