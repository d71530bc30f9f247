-- Grain: one span, with what its model call cost.
-- Units: cost_usd in USD, NULL unless cost_status is priced, assumed, estimated_tokens or free;
--     price_id is the cell of the price list (price_history.price_id), 0 when there is none.
-- Reads: mapped_spans. Readers: spans_v1.
--
-- Every insert plans this anew. A subquery costs its number of columns, so there is one, and
-- what is used twice is bound by a lambda: arrayMap(x -> f(x), [y])[1] reads "let x = y in f(x)".
-- Names are resolved outside of the lambdas, as LowCardinality columns: once for each name in a
-- block, not for each row. Money stands under no `if`, which would evaluate its whole chain lazily,
-- row by row: a null is added instead.
select
    * except price,
    price.1 + if(price.2 in (1, 2, 3, 4), 0::Nullable(Decimal(18, 12)), null) as cost_usd,
    cast(price.2, 'Enum8(
        ''not_a_call'' = 0, ''priced'' = 1, ''assumed'' = 2, ''estimated_tokens'' = 3,
        ''free'' = 4, ''no_usage'' = 5, ''no_provider'' = 6, ''no_model'' = 7, ''bad_usage'' = 8,
        ''too_large'' = 9)') as cost_status,
    toUInt32(price.3) as price_id,
    dictGet('{database}.price_models', 'source', price.4) as price_source
from (
    with
        lower(left(toLowCardinality(if(
            operation in ('llm', 'embedding', 'rerank'), concat(provider, '|', model), '')), 512)
        ) as call,
        sightline_price_model(call) as named,
        sightline_price_model(sightline_price_dashed(call)) as named_dashed,
        sightline_price_model(sightline_price_bare(call)) as bare,
        sightline_price_model(sightline_price_dashed(sightline_price_bare(call))) as bare_dashed
    select
        *,
        arrayMap(
            (
                is_call, provider_known, assumed, model_id, input, output, read, write, write_1h,
                reasoning
            ) -> arrayMap(
                point -> arrayMap(
                    usd -> (
                        toDecimal64(
                            round(if(abs(usd) < 1000000, usd, toDecimal128(0, 18)), 12), 12),
                        multiIf(
                            not is_call,
                            0,  -- not_a_call
                            isNull(input_tokens)
                                and (isNull(output_tokens) or operation = 'llm' and read + write = 0)
                                and empty(extra_usage),
                            5,  -- no_usage
                            model_id = 0,
                            if(provider_known or model = '', 7, 6),  -- no_model, no_provider
                            1000000000000 < greatest(
                                    input, output, read, write, write_1h, reasoning)
                                or arrayExists(n -> n > 1000000000000, mapValues(extra_usage))
                                or abs(usd) >= 1000000,
                            9,  -- too_large
                            read + write > input or write_1h > write or reasoning > output
                                or sightline_price_contradicts(
                                    dictGet('{database}.price_points', 'lattice', point),
                                    [input, output, read, write, write_1h, reasoning],
                                    extra_usage),
                            8,  -- bad_usage
                            usd = 0 and not dictGet('{database}.price_points', 'free', point) and (
                                input + output > 0
                                or dictGet('{database}.price_points', 'input', point) = 0
                                and dictGet('{database}.price_points', 'output', point) = 0),
                            5,  -- no_usage: nothing that the price counts
                            assumed,
                            2,  -- assumed
                            dictGet('{database}.price_points', 'free', point),
                            4,  -- free
                            tokens_estimated != 0,
                            3,  -- estimated_tokens
                            1),  -- priced
                        point,
                        model_id),
                    [sightline_price_usd(
                        point, input, output, read, write, write_1h, reasoning, extra_usage)])[1],
                [sightline_price_point(
                    model_id, price_context, toUnixTimestamp64Nano(started_at), input)])[1],
            [call != ''],
            [dictGet('{database}.price_provider_rules', 'key', call) != ''],
            [named + named_dashed = 0 or provider = ''],
            [multiIf(
                named != 0, named, named_dashed != 0, named_dashed, bare != 0, bare, bare_dashed)],
            [sightline_price_count(input_tokens)],
            [sightline_price_count(output_tokens)],
            [sightline_price_count(cache_read_tokens)],
            [sightline_price_count(cache_write_tokens)],
            [sightline_price_count(cache_write_1h_tokens)],
            [sightline_price_count(reasoning_tokens)]
        )[1] as price
    from mapped_spans)
