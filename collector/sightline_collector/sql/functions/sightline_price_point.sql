-- The number of the cell of a model's prices that a call falls into: its first cell, plus what each of
-- the call's context values adds (the first value of each key), plus the strides of the days, the seconds
-- of the day and the input sizes that it has passed.
-- Units: model is a number of price_models_v1, at a DateTime64(9), input in tokens; 0 for model 0.
-- Reads: price_models, price_contexts. Readers: price_spans.
create or replace function sightline_price_point as (model, context, at, input) -> arrayMap(
    (edges, ns) -> edges.1
        + if(empty(context), 0, arraySum(
            (pair, nth) -> (nth = 1) * dictGet('{database}.price_contexts', 'offset', (model, pair)),
            context,
            if(length(context) > 1,
                arrayEnumerateUniq(arrayMap(pair -> substringIndex(pair, '=', 1), context)),
                arrayWithConstant(length(context), 1::UInt32))))
        + edges.2 * arrayCount(day -> day <= intDiv(ns, 86400000000000), edges.3)
        + edges.4 * arrayCount(second -> second <= intDiv(ns, 1000000000) % 86400, edges.5)
        + arrayCount(start -> start < input, edges.6),
    [dictGet('{database}.price_models',
        ('first', 'day_stride', 'days', 'second_stride', 'seconds', 'starts'), model)],
    [toUnixTimestamp64Nano(at)])[1]
