-- Grain: one span, with what its own usage costs and what that adds to the bill.
-- Units: USD. own_cost_usd is what the span's usage would cost whatever its operation, NULL unless its status
--     is priced, assumed, reported, estimated_tokens, free or cached_by_gateway; cost_usd is the same for an
--     operation that a provider bills, NULL for others, whose cost_status is not_a_call. price_id is the cell
--     of the price list (price_history.price_id), 0 when there is none.
-- Reads: mapped_spans. Readers: spans_v1, repricing.
--
-- Every insert plans this anew. A subquery costs its number of columns, so there is one, and
-- what is used twice is bound by a lambda: arrayMap(x -> f(x), [y])[1] reads "let x = y in f(x)".
-- Names are resolved outside of the lambdas, as LowCardinality columns: once for each name in a
-- block, not for each row. Money stands under no `if`, which would evaluate its whole chain lazily,
-- row by row: a null is added instead.
select
    * except price,
    ifNull(
        price.1 + if(price.2 in (1, 2, 4, 5, 6), 0::Nullable(Decimal(18, 12)), null),
        if(price.2 = 3, reported_cost_usd, null)) as own_cost_usd,
    if(sightline_model_call(operation), own_cost_usd, null) as cost_usd,
    cast(if(sightline_model_call(operation), price.2, 0) as {type:cost_status}) as cost_status,
    toUInt32(price.3) as price_id,
    dictGet('{database}.price_points', 'source', price.3) as price_source
from (
    with
        -- A counted or fetched answer is nobody's bill, even where it repeats the usage of one.
        lower(left(toLowCardinality(if(
            operation in ('token_count', 'fetch_response')
                or model = '' and not sightline_model_call(operation),
            '', concat(provider, '|', model))), 512)) as call,
        sightline_price_model(call) as named,
        sightline_price_model(sightline_price_dashed(call)) as named_dashed,
        sightline_price_model(sightline_price_bare(call)) as bare,
        sightline_price_model(sightline_price_dashed(sightline_price_bare(call))) as bare_dashed,
        -- Who answers by a name of one's own, or by one that is too new, was asked by another.
        lower(left(toLowCardinality(if(
            empty(call) or request_model in ('', model), '',
            concat(provider, '|', request_model))), 512)) as asked,
        sightline_price_model(asked) as asked_named,
        sightline_price_model(sightline_price_bare(asked)) as asked_bare,
        -- Bedrock's request says the area, which has a price of its own, before the model that answers.
        toUInt32(asked_named * (position(asked, concat('.', substringIndex(call, '|', -1))) > 0)) as exact
    select
        *,
        arrayMap(
            (
                is_call, assumed, model_id, input, output, read, write, write_1h, reasoning, reported
            ) -> arrayMap(
                point -> arrayMap(
                    (usd, terms) -> (
                        toDecimal64(
                            round(if(abs(usd) < 1000000 and not gateway_cached, usd, toDecimal128(0, 18)), 12),
                            12),
                        multiIf(
                            not is_call,
                            0,  -- not_a_call
                            gateway_cached,
                            6,  -- cached_by_gateway
                            isNull(input_tokens)
                                and (isNull(output_tokens) or operation = 'llm' and read + write = 0)
                                and empty(extra_usage),
                            if(reported, 3, 7),  -- reported, no_usage
                            terms = 2,
                            if(reported, 3, 8),  -- reported, unpriced_model
                            1000000000000 < greatest(
                                    input, output, read, write, write_1h, reasoning)
                                or arrayExists(n -> n > 1000000000000, mapValues(extra_usage))
                                or abs(usd) >= 1000000,
                            if(reported, 3, 10),  -- reported, too_large
                            read + write > input or write_1h > write or reasoning > output
                                or sightline_price_contradicts(
                                    dictGet('{database}.price_points', 'lattice', point),
                                    [input, output, read, write, write_1h, reasoning],
                                    extra_usage),
                            if(reported, 3, 9),  -- reported, bad_usage
                            usd = 0 and terms = 0 and (
                                input + output > 0
                                or dictGet('{database}.price_points', 'input', point) = 0
                                and dictGet('{database}.price_points', 'output', point) = 0),
                            if(reported, 3, 7),  -- reported, no_usage: nothing that the price counts
                            assumed or sightline_price_unlisted(model_id, point, price_context, extra_usage),
                            2,  -- assumed
                            terms = 1,
                            5,  -- free
                            tokens_estimated != 0,
                            4,  -- estimated_tokens
                            1),  -- priced
                        point),
                    [sightline_price_usd(
                        point, input, output, read, write, write_1h, reasoning, extra_usage)],
                    [dictGet('{database}.price_points', 'terms', point)])[1],
                [sightline_price_point(
                    model_id, price_context, toUnixTimestamp64Nano(started_at), input)])[1],
            [call != '' or isNotNull(reported_cost_usd)],
            -- A time that no clock can have told is not when it was paid.
            [exact + named + named_dashed = 0 or provider = '' or has(notes, 'start_out_of_range')],
            [multiIf(
                exact != 0, exact, named != 0, named, named_dashed != 0, named_dashed, bare != 0, bare,
                bare_dashed != 0, bare_dashed, asked_named != 0, asked_named, asked_bare)],
            [sightline_price_count(input_tokens)],
            [sightline_price_count(output_tokens)],
            [sightline_price_count(cache_read_tokens)],
            [sightline_price_count(cache_write_tokens)],
            [sightline_price_count(cache_write_1h_tokens)],
            [sightline_price_count(reasoning_tokens)],
            -- Who does not know a price says 0: that is no price.
            [ifNull(reported_cost_usd > 0 and reported_cost_usd <= 999999, 0)]
        )[1] as price
    from mapped_spans)
