-- The models that a call may mean, best first, 0 for none: as the provider names it; with compact dates
-- dashed (-20250514 is -2025-05-14; of two that share a dash the first); then both by the model's name
-- alone, whatever the provider.
-- Units: name is `provider|model` in lower case; models are numbers of price_models_v1.
-- Reads: price_provider_rules, price_model_rules. Readers: price_spans.
create or replace function sightline_price_models as (name) -> [
    sightline_price_model(name),
    sightline_price_model(sightline_price_dashed(name)),
    sightline_price_model(sightline_price_bare(name)),
    sightline_price_model(sightline_price_dashed(sightline_price_bare(name)))]
