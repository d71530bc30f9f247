-- Grain: one span. Finds what a span means, whatever its dialect: for each column the first of its keys
-- that is present. Units: ms, tokens, USD. Nothing in it may throw: what does not fit is NULL or
-- clamped, and noted. Reads: recognised_spans, dialects, operations. Readers: priced_spans.
--
-- Every insert plans this anew, so counts, durations and money are each converted by one lambda, but for two
-- that are made of something first.
-- Where an `and` or `or` compares with a constant, the engine looks at all that the compared column comes
-- from: there numbers stand for themselves, which plans this in half the time.
with
    [
        length(trace_id) != 32, length(span_id) != 16, end_ns < start_ns,
        toUnixTimestamp64Nano(started_at) != start_ns, status_code not between 0 and 2,
        kind_given not between 0 and 5, within.1 > 0,
        within.1 > 0,
        not within.1 and within.4 and input_parts, within.2 > 0,
        within.2 > 0,
        within.3 or within.4 > 8, counts['compaction_input'] > 0 or counts['compaction_output'] > 0,
        counts['total_tokens'] < input_given + output_given,
        beyond > 0 and input_given > 0 and within.4 = 0 and within.2 != 5,
        operation = 'llm' and isNull(input_given) and output_given > 0,
        operation_known = 'other' and dialect != '',
        tier_is_asked and tier not in ('', 'auto', 'default'), meaning['thinned'] = 'true'] as holds
select
    received_at, batch, writer, project, started_at,
    if(end_ns >= start_ns, (end_ns - start_ns) / 1000000., 0.) as duration_ms,
    sightline_weight(weight_given) as weight,
    trace_id, span_id, parent_span_id, trace_state, flags,
    resource_attributes['service.name'] as service, name,
    CAST(if(kind_given in (0, 1, 2, 3, 4, 5), kind_given, 0), 'Enum8(''unspecified'' = 0, ''internal'' = 1,
        ''server'' = 2, ''client'' = 3, ''producer'' = 4, ''consumer'' = 5)') as kind,
    CAST(multiIf(status_code = 2, 2, meaning['level'] = 'ERROR', 2, status_code = 1, 1, 0),
        'Enum8(''unset'' = 0, ''ok'' = 1, ''error'' = 2)') as status,
    if(status_message = '', meaning['level_says'], status_message) as status_message,
    multiIf(
        meaning['error_type'] != '', meaning['error_type'],
        status != 'error', '',
        has(events.2, 'exception'), arrayFirst(e -> e.2 = 'exception', events).3['exception.type'],
        '') as error_type,
    sightline_refused(operation, finish_reason, output) as refused,
    meaning['blocked'] = 'true' or meaning['budget'] = 'deny' as blocked,
    scope_name, scope_version, dialect, operation,
    multiIf(
        meaning['stage'] != '', meaning['stage'],
        operation in ('llm', 'embedding', 'rerank'), 'model_inference',
        operation = 'tool', 'tool_execution',
        operation in ('retrieval', 'guardrail'), operation,
        '') as stage,
    provider, if(response_model = '', request_model, response_model) as model,
    request_model, response_model, response_id,
    meaning['feature'] as feature, meaning['user'] as user_id, meaning['session'] as session_id,
    meaning['prompt_name'] as prompt_name, meaning['prompt_version'] as prompt_version,
    meaning['experiment'] as experiment, meaning['variant'] as variant, meaning['shadow'] = 'true' as shadow,
    sightline_list(meaning['tags']) as tags,
    -- Langfuse, MLflow and LangSmith call the span by the name of the agent or tool, and say it nowhere else.
    multiIf(
        meaning['agent'] != '' or operation != 'agent', meaning['agent'],
        meaning['entity'] = '' and dialect in ('langfuse', 'mlflow', 'langsmith'), name,
        meaning['entity']) as agent,
    multiIf(
        meaning['tool'] != '' or operation != 'tool', meaning['tool'],
        meaning['entity'] = '' and dialect in ('langfuse', 'mlflow', 'langsmith'), name,
        meaning['entity']) as tool,
    finish_reason,
    -- What is embedded or ranked is all input.
    if(isNull(input_given) and operation in ('embedding', 'rerank'), counts['total_tokens'], input_given)
        + if(within.1 > 0, input_parts, 0)
        + multiIf(within.4 = 11, beyond - output_parts, within.4 = 9, beyond, within.3, tools, 0)
        + ifNull(counts['compaction_input'], 0)
        as input_tokens,
    if(within.2 = 5, output_floor + beyond, output_given + if(within.2 > 0, output_parts, 0))
        + ifNull(counts['compaction_output'], 0) as output_tokens,
    read as cache_read_tokens, written as cache_write_tokens,
    counts['cache_write_1h'] as cache_write_1h_tokens,
    counts['reasoning'] as reasoning_tokens, counts['tool_use'] as tool_use_tokens,
    if(
        arrayExists(
            what -> what in (
                'audio_input', 'audio_output', 'audio_cached', 'image_input', 'image_output', 'web_searches',
                'rerank_searches', 'video_input', 'document_input'),
            mapKeys(counts)) or searches > 0,
        mapFilter(
            (unit, n) -> n > 0 or unit like 'cache_audio%' and sound_cached
                or unit like 'cache_image%' and seen_cached,
            CAST(
                ([
                    'input_audio_tokens', 'output_audio_tokens', 'cache_audio_read_tokens',
                    'cache_image_read_tokens', 'input_image_tokens', 'output_image_tokens', 'web_searches',
                    'rerank_searches'],
                arrayMap(n -> ifNull(n, 0), [
                    counts['audio_input'], counts['audio_output'], heard_again,
                    multiIf(
                        not ifNull(seen_cached, 0), 0,
                        isNull(counts['image_cached']),
                        greatest(seen + ifNull(counts['audio_input'], 0) + read - input_read
                            - ifNull(heard_again, 0), 0),
                        counts['image_cached']),
                    seen, counts['image_output'], searches, counts['rerank_searches']])),
                'Map(String, UInt64)')),
        CAST(map(), 'Map(String, UInt64)')) as extra_usage,
    meaning['estimated'] = 'true' or ifNull(isNull(counts['audio_cached']) and sound_cached, 0)
        or ifNull(isNull(counts['image_cached']) and seen_cached, 0)
        -- Of a stream that told no usage OpenLIT guesses it, and knows no cache. Bits: an `and` is lazy.
        or bitAnd(
            bitAnd(scope_name = 'openlit.instrumentation.openai', isNull(read)),
            all_texts[indexOf(all_keys, 'gen_ai.request.stream')] = 'true') as tokens_estimated,
    lower(meaning['gateway_cached']) in ('true', '1', 'hit') as gateway_cached,
    if(
        tier = '' and meaning['speed'] = '' and meaning['inference_geo'] = '', [],
        arrayFilter(
            term -> term not in (
                '', 'service_tier=', 'service_tier=auto', 'speed=', 'inference_geo=', 'inference_geo=global',
                'inference_geo=not_available'),
            [
                if(tier = 'batch', 'processing=batch', concat('service_tier=', tier)),
                -- What OpenAI sells as a tier is a speed at Anthropic's, and told as a tier, too.
                concat('speed=', if(tier = 'fast', tier, lower(meaning['speed']))),
                concat('inference_geo=', lower(meaning['inference_geo']))])) as price_context,
    ifNull(cost_told, costs['reported_input_cost'] + costs['reported_output_cost']) as reported_cost_usd,
    coalesce(
        times['first_chunk_s'] * 1000, times['first_chunk_ms'],
        times['first_chunk_served'] * if(dialect = 'strands', 1, 1000), first_chunk_after_ms
    ) as first_chunk_ms,
    times['first_token_s'] * 1000 as first_token_ms, times['tokens_per_second'] as tokens_per_second,
    sightline_unquoted(if(dialect = '', '', meaning['input'])) as input,
    if(dialect = '', '', input_found) as input_key,
    output, if(dialect = '', '', output_found) as output_key,
    -- A lambda copies what it closes over once for each key: numbers, not names.
    CAST(arrayFilter(
        (pair, rank, nth) -> rank < 16777216 and nth <= attributes_count
            and nth != input_nth and nth != output_nth,
        arrayZip(all_keys, all_texts), all_ranks, arrayEnumerate(all_keys)),
        'Map(String, String)') as attributes,
    attribute_types, resource_attributes, resource_types, scope_attributes, events, links,
    dropped_attributes, dropped_events, dropped_links,
    if(has(holds, 1), arrayFilter((note, is_so) -> ifNull(is_so, 0),
        [
            'trace_id_length', 'span_id_length', 'ended_before_start', 'start_out_of_range',
            'status_out_of_range', 'kind_out_of_range', 'cache_added_to_input',
            concat('cache_added_to_input:', ['size', 'total', 'scope', 'key'][within.1]),
            'input_includes_cache:total', 'reasoning_added_to_output',
            concat('reasoning_added_to_output:', ['size', 'total', 'scope', 'key', 'rest'][within.2]),
            'tool_use_added_to_input', 'compaction_added', 'total_ignored', 'total_unexplained',
            'input_unknown', 'operation_unknown', 'service_tier_asked', 'thinned'],
        holds), []) as notes
from (
    select
        * except (input_key, output_key), input_key as input_found,
        length(places) as attributes_count,
        if(dialect = '' or input_found = '', 0, indexOf(all_keys, input_found)) as input_nth,
        if(dialect = '' or output_found = '', 0, indexOf(all_keys, output_found)) as output_nth,
        output_key as output_found,
        if(dialect = '', '', sightline_unquoted(meaning['output'])) as output,
        -- Whose usage does not count its searches shows each in its answer; what it opened or found in a page
        -- is no search. In a text such words stand behind escaped quotes. Bits: an `and` is lazy.
        if(bitAnd(
                bitAnd(isNull(counts['web_searches']), operation_known = 'llm'),
                position(output, 'web_search') > 0),
            if(
                dialect = 'openinference',
                if(not returned_json, 0, sightline_web_searches(
                    if(output_key = 'output.value', output, returned), '')),
                countMatches(output, '"name": ?"web_search", ?"server_tool_call": ?[{]"input"')
                    + sightline_web_searches(output, '"name": ?"web_search", ?"server_tool_call": ?[{]')),
            ifNull(counts['web_searches'], 0)) as searches,
        -- Where no attribute tells it, what the client returned does.
        if(meaning['response_id'] = '' and isNotNull(output_given) and dialect in ('openinference', 'mlflow'),
            sightline_answer_id(if(dialect = 'mlflow', returned_to_mlflow, returned)),
            meaning['response_id']) as response_id,
        -- What is said beside input and output lies within them or not, and what says so, by its place in
        -- 'size', 'total', 'scope', 'key', 'rest'; 0 is within. `told` is which of the parts a total shows
        -- outside, one more than a bit each: 1 the cache, 2 the reasoning, 4 the tool use; 0 when it fits
        -- none. Emitters that are known to leave the cache out of input leave it out of their total, too.
        -- Gemini's total has its cache within the input and its thoughts outside of the output, and what
        -- nothing else tells is what its tools read: that is 8 more.
        arrayMap(
            told -> (
                multiIf(
                    input_parts = 0, 0, input_parts > input_floor, 1,
                    if(told > 1, bitTest(told - 1, 0), 0), 2,
                    cache_apart, 3, told > 0, 0, input_is_rest, 4, 0),
                multiIf(
                    -- What Gemini thought is part of its total, where nothing else tells it.
                    is_gemini and not told and input_floor and not (output_parts + tools) and beyond > 0, 5,
                    output_parts = 0, 0, output_parts > output_floor, 1, told > 0, 2 * bitTest(told - 1, 1),
                    thoughts_apart, 3, output_is_rest, 4, 0),
                tools and if(told > 0, bitTest(told - 1, 2), output_is_rest),
                told),
            [multiIf(
                beyond = 0, 1, beyond = outside, 2, beyond = output_parts, 3,
                beyond = outside + output_parts, 4, beyond = tools, 5, beyond = outside + tools, 6,
                beyond = output_parts + tools, 7, beyond = outside + output_parts + tools, 8,
                not is_gemini or not input_floor or beyond <= 0, 0,
                -- Where what was thought is part of the output, only what tools read is left: that is 9.
                thoughts_added or beyond < output_parts and output_parts <= output_floor, 9,
                output_parts and beyond > output_parts, 11, 0)]
        )[1] as within,
        input_given + if(within.1 > 0, input_parts, 0) as input_read,
        if(isNull(counts['audio_cached']),
            greatest(counts['audio_input'] + read - input_read, 0), counts['audio_cached']) as heard_again,
        -- A model and its tokens make a call, whatever the operation is called: it is never free in silence.
        -- An agent's own tokens are the sum of its calls'; so are those of a call around other calls.
        -- A call that a budget forbade was never made.
        multiIf(
            meaning['budget'] = 'deny', 'guardrail',
            meaning['aggregated'] = 'true'
                and (operation_known in ('', 'other') or sightline_model_call(operation_known)), 'chain',
            -- Logfire tells of a stream twice: when it begins, without its answer, and when it has ended.
            dialect = 'logfire' and operation_known = 'llm' and isNull(input_given) and meaning['output'] = ''
                and meaning['response_id'] = '' and status_code != 2, 'chain',
            -- Some call counting a chat, too: one without an answer.
            operation_named = 'token_count' and operation_known = 'llm' and not output_floor, 'token_count',
            operation_known not in ('', 'other'), operation_known,
            meaning['mcp_method'] = 'tools/call' and kind_given = 2, 'tool',
            meaning['mcp_method'] != '', 'mcp',
            operation_named != 'other' and dialect != '', operation_named,
            (request_model != '' or response_model != '') and isNotNull(input_given),
                if(meaning['agent'] != '', 'agent', 'llm'),
            meaning['tool'] != '' and dialect != '', 'tool',
            operation_known) as operation
    from (
        select
            *,
            sightline_finish_reason(meaning['finish']) as finish_reason,
            -- Langfuse's details of a cost are its parts, whatever they are called.
            if(cost_details = '', costs['reported_cost'], sightline_usd(sightline_cost_sum(cost_details)))
                as cost_told,
            if(operation_given = '', '',
                dictGet('{database}.operations', 'operation', lower(operation_given))) as operation_known,
            ifNull(counts['input_tokens'], counts['input_rest']) as input_given,
            ifNull(counts['output_tokens'], counts['output_rest']) as output_given,
            isNull(counts['input_tokens']) and isNotNull(counts['input_rest'])
                and meaning['cache_within'] = '' as input_is_rest,
            isNull(counts['output_tokens']) and isNotNull(counts['output_rest']) as output_is_rest,
            ifNull(counts['input_tokens'], ifNull(counts['input_rest'], 0)) as input_floor,
            ifNull(counts['output_tokens'], ifNull(counts['output_rest'], 0)) as output_floor,
            ifNull(counts['total_tokens'], -1) - input_floor - output_floor as beyond,
            -- Of a cache's writes by age the sum is at least what was written; where parts lie beside each
            -- other, they lie beside the rest of what was written, too.
            arrayMap(
                (said, by_age) -> greatest(ifNull(said, 0), by_age) + if(input_is_rest and said != by_age,
                    least(ifNull(said, 0), by_age), 0) + if(isNull(said) and not by_age, null, 0),
                [counts['cache_write']],
                [ifNull(counts['cache_write_5m'], 0) + ifNull(counts['cache_write_1h'], 0)])[1] as written,
            -- What is seen is told by kind: pictures, films, pages.
            ifNull(counts['image_input'], 0) + ifNull(counts['video_input'], 0)
                + ifNull(counts['document_input'], 0) as seen,
            ifNull(read, 0) + ifNull(written, 0)
                + if(input_is_rest, ifNull(counts['audio_input'], 0) + seen, 0) as input_parts,
            ifNull(counts['reasoning'], 0)
                + if(output_is_rest, ifNull(counts['audio_output'], 0) + ifNull(counts['image_output'], 0), 0)
                as output_parts,
            ifNull(counts['tool_use'], 0) as tools,
            positionCaseInsensitive(concat(request_model, response_model), 'gemini') > 0 as is_gemini,
            if(
                is_gemini and not input_is_rest and input_parts <= input_floor,
                toInt64(-1000000000000000), input_parts) as outside,
            -- Of cached sound an emitter may tell only that something was cached, and that something was
            -- sound: as little was both as can be.
            counts['audio_input'] > 0 and read > 0 as sound_cached,
            -- Few models have a price of cached pictures; to others they are input.
            seen > 0 and read > 0 and (
                isNotNull(counts['image_cached'])
                or multiSearchAny(concat(request_model, response_model), ['image', 'realtime'])
            ) as seen_cached,
            -- From its sixth version on the AI SDK adds the cache to the input, and tells the parts. Who has
            -- another input than the provider's own object added the cache, too. Bits: an `or` is lazy.
            bitOr(
                bitAnd(input_beside_cache != '', input_beside_cache = meaning['input_tokens']),
                bitAnd(
                    bitAnd(input_beside_cache = '', not greatest(
                        has(places, sightline_place('ai.usage.inputTokenDetails.cacheReadTokens')),
                        has(places, sightline_place('ai.usage.inputTokenDetails.cacheWriteTokens')),
                        has(all_keys, 'ai.usage.inputTokenDetails.noCacheTokens'))),
                    'cache_apart' in (
                        dictGet('{database}.dialects', 'column', cityHash64(scope_shows)),
                        dictGet('{database}.dialects', 'column', cityHash64(concat(dialect, ' ', provider)))))
            ) as cache_apart,
            -- OpenLIT tells Gemini's candidates as output, its thoughts beside them, and no total of both.
            is_gemini and scope_name = 'openlit.instrumentation.google_ai_studio' as thoughts_apart,
            -- LiteLLM adds them, and what its tools read is in its total alone.
            dialect = 'litellm' or scope_name = 'openinference.instrumentation.litellm' as thoughts_added
        from (
            select
                * except dialect, kind as kind_given, sightline_time(start_ns, received_at) as started_at,
                -- Looked up for all: under an `if` that asks for them, all attributes would be copied.
                sightline_given('output.value', places, all_texts) as returned,
                sightline_given('mlflow.spanOutputs', places, all_texts) as returned_to_mlflow,
                all_texts[
                    indexOf(all_keys, 'langfuse.observation.cost_details')
                        * bitAnd(meaning['reported_cost'] = '', recognised_spans.dialect = 'langfuse')
                ] as cost_details,
                if(dialect = '', '', meaning['operation']) as operation_given,
                dictGet('{database}.operations', 'operation',
                    if(dictGet('{database}.dialects', 'column', cityHash64(name_shows)) = 'operation_named',
                        lower(substringIndex(name, ' ', 1)), '')) as operation_named,
                -- Genkit calls it by its plug-in, before the model.
                sightline_provider(if(
                    meaning['provider'] = '' and recognised_spans.dialect = 'genkit',
                    transform(
                        splitByChar('/', meaning['entity'])[-2], ['googleai', 'vertexai'],
                        ['gcp.gemini', 'gcp.vertex_ai']),
                    meaning['provider'])) as provider,
                multiIf(
                    meaning['request_model'] != '', meaning['request_model'],
                    -- Genkit calls the span of a call by its model.
                    if(dialect = 'genkit', meaning['operation'] in ('model', 'embedder'), 0),
                    meaning['entity'],
                    meaning['input_rest'] != '', meaning['bare_model'],
                    '') as request_model,
                -- A proxy may answer by the name that it was asked for, and tell beside it whom it asked.
                if(
                    meaning['sent_model'] != '' and (
                        meaning['response_model'] = '' or meaning['response_model'] = request_model),
                    meaning['sent_model'], meaning['response_model']) as response_model,
                -- Few are told: all that are not would take as long as those that are. What is no count is
                -- told by the next key.
                mapFilter((what, count) -> isNotNull(count), mapApply(
                    (what, text) -> (what, sightline_count(text)),
                    mapFilter(
                        (what, text) -> what in (
                            'input_tokens', 'input_rest', 'output_tokens', 'output_rest', 'total_tokens',
                            'cache_read', 'cache_within', 'cache_write', 'cache_write_5m', 'cache_write_1h',
                            'reasoning', 'tool_use', 'audio_input', 'audio_output', 'audio_cached',
                            'image_cached', 'image_input', 'image_output', 'video_input', 'document_input',
                            'web_searches', 'rerank_searches', 'compaction_input', 'compaction_output'),
                        meaning))) as counts,
                if(meaning['cache_read'] = '', counts['cache_within'], counts['cache_read']) as read,
                mapApply((what, text) -> (what, sightline_duration(text)), mapFilter(
                    (what, text) -> what in (
                        'first_chunk_s', 'first_chunk_ms', 'first_chunk_served', 'first_token_s',
                        'tokens_per_second'),
                    meaning)) as times,
                sightline_duration(sightline_after(
                    if(has(events.2, 'First Token Stream Event'),
                        toString(arrayFirst(e -> e.2 = 'First Token Stream Event', events).1),
                        meaning['first_chunk_at']), start_ns)) as first_chunk_after_ms,
                mapApply((what, text) -> (what, sightline_usd(text)), mapFilter(
                    (what, text) -> what in ('reported_cost', 'reported_input_cost', 'reported_output_cost'),
                    meaning)) as costs,
                meaning['service_tier'] = '' and tier_of_tokens = '' as tier_is_asked,
                lower(multiIf(
                    meaning['service_tier'] != '', meaning['service_tier'],
                    tier_is_asked, meaning['service_tier_asked'], tier_of_tokens)) as tier,
                if(meaning['weight'] = '' and trace_state != '',
                    sightline_sampled(trace_state), meaning['weight']) as weight_given,
                if(meaning['agent'] = 'gemini-cli', 'gemini-cli', coalesce(
                    nullIf(dictGet('{database}.dialects', 'dialect',
                        cityHash64(concat(recognised_spans.dialect, ' ', provider))), ''),
                    recognised_spans.dialect)) as dialect
            from recognised_spans)))
