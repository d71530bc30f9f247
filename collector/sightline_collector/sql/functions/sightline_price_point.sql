-- The number of the cell of a model's prices that a call falls into: its first cell, plus what each
-- of the call's context values adds (the first value of each key), plus the strides of the days,
-- the seconds of the day and the input sizes that it has passed.
-- Units: model is a number of price_models_v1, ns since 1970, input in tokens; 0 for model 0.
-- Reads: price_models, price_contexts. Readers: priced_spans.
create or replace function sightline_price_point as (model, context, ns, input) ->
    dictGet('{database}.price_models', 'first', model)
    + arraySum(
        pair -> dictGet('{database}.price_contexts', 'offset', (model, pair)),
        if(length(context) < 2, context, arrayFilter(
            (pair, nth) -> nth = 1,
            context, arrayEnumerateUniq(arrayMap(pair -> substringIndex(pair, '=', 1), context)))))
    + dictGet('{database}.price_models', 'day_stride', model) * arrayCount(
        day -> day <= intDiv(ns, 86400000000000),
        dictGet('{database}.price_models', 'days', model))
    + dictGet('{database}.price_models', 'second_stride', model) * arrayCount(
        second -> second <= intDiv(ns, 1000000000) % 86400,
        dictGet('{database}.price_models', 'seconds', model))
    + arrayCount(start -> start < input, dictGet('{database}.price_models', 'starts', model))
