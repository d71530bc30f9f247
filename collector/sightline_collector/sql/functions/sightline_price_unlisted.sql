-- Whether a call was served in a way, or used something, that the list has no price of its own for: what
-- is known of the model's price is charged, and said to be assumed. What is seen costs what is read unless
-- the list says otherwise. A fast tier is told as a tier and as a speed; a model has a price for one of them.
-- Units: model is a number of price_models_v1, point of price_points_v1; usage maps a unit's name to a count.
-- Reads: price_contexts, price_marginals. Readers: priced_spans.
create or replace function sightline_price_unlisted as (model, point, context, usage) ->
    arrayExists(
        pair -> pair not in (
                'service_tier=default', 'service_tier=standard', 'service_tier=standard_only',
                'service_tier=on_demand', 'speed=standard')
            and dictGet('{database}.price_contexts', 'offset', (model, pair))
                + if(pair like '%=fast' and has(context, 'service_tier=fast'),
                    dictGet('{database}.price_contexts', 'offset', (model, 'service_tier=fast'))
                        + dictGet('{database}.price_contexts', 'offset', (model, 'speed=fast')), 0) = 0,
        context)
    or arrayExists(
        (unit, count) -> count > 0
            and unit not in ('input_image_tokens', 'cache_audio_read_tokens', 'cache_image_read_tokens')
            and not dictHas('{database}.price_marginals', (point, unit)),
        mapKeys(usage), mapValues(usage))
