-- Grain: one span. Finds what a span means, whatever its dialect: for each column the first of its keys
-- that is present. Units: ms, tokens, USD. Nothing in it may throw: what does not fit is NULL or
-- clamped, and noted. Reads: recognised_spans, operations. Readers: priced_spans.
select
    received_at, batch, writer, project,
    sightline_time(start_ns, received_at) as started_at,
    if(end_ns >= start_ns, (end_ns - start_ns) / 1000000., 0.) as duration_ms,
    sightline_weight(meaning['weight']) as weight,
    trace_id, span_id, parent_span_id, trace_state, flags,
    resource_attributes['service.name'] as service, name,
    CAST(if(kind_given between 0 and 5, kind_given, 0), 'Enum8(''unspecified'' = 0, ''internal'' = 1,
        ''server'' = 2, ''client'' = 3, ''producer'' = 4, ''consumer'' = 5)') as kind,
    CAST(multiIf(status_code = 2, 2, status_code = 1, 1, 0),
        'Enum8(''unset'' = 0, ''ok'' = 1, ''error'' = 2)') as status,
    status_message, meaning['error_type'] as error_type,
    multiIf(
        finish_reason in ('content_filter', 'refusal', 'SAFETY'), 1,
        operation != 'llm' or output = '', null,
        length(output) < 2000 and multiSearchAny(
            lower(left(output, 600)), splitByChar('\n', lower(trimBoth({data:refusals.txt})))), 1,
        0) as refused,
    meaning['blocked'] = 'true' or meaning['budget'] = 'deny' as blocked,
    scope_name, scope_version, dialect, operation,
    multiIf(
        meaning['stage'] != '', meaning['stage'],
        operation in ('llm', 'embedding', 'rerank'), 'model_inference',
        operation = 'tool', 'tool_execution',
        operation in ('retrieval', 'guardrail'), operation,
        '') as stage,
    lower(meaning['provider']) as provider,
    if(response_model = '', request_model, response_model) as model,
    request_model, response_model, meaning['response_id'] as response_id,
    meaning['feature'] as feature, meaning['user'] as user_id, meaning['session'] as session_id,
    meaning['prompt_name'] as prompt_name, meaning['prompt_version'] as prompt_version,
    meaning['experiment'] as experiment, meaning['variant'] as variant, meaning['shadow'] = 'true' as shadow,
    sightline_list(meaning['tags']) as tags,
    meaning['agent'] as agent, meaning['tool'] as tool, finish_reason,
    input_given + if(cache_outside, cached, 0) as input_tokens,
    output_given + if(reasoning_outside, reasoning_tokens, 0) as output_tokens,
    cache_read_tokens, cache_write_tokens,
    sightline_count(meaning['cache_write_1h']) as cache_write_1h_tokens, reasoning_tokens,
    mapFilter((unit, n) -> n > 0, map(
        'input_audio_tokens', ifNull(sightline_count(meaning['audio_input']), 0),
        'output_audio_tokens', ifNull(sightline_count(meaning['audio_output']), 0),
        'input_image_tokens', ifNull(sightline_count(meaning['image_input']), 0),
        'output_image_tokens', ifNull(sightline_count(meaning['image_output']), 0),
        'web_searches', ifNull(sightline_count(meaning['web_searches']), 0))) as extra_usage,
    meaning['estimated'] = 'true' as tokens_estimated,
    meaning['gateway_cached'] = 'true' as gateway_cached,
    multiIf(
        meaning['service_tier'] = '', [],
        meaning['service_tier'] = 'batch', ['processing=batch'],
        meaning['service_tier'] = 'fast', ['service_tier=fast', 'speed=fast'],
        [concat('service_tier=', meaning['service_tier'])]) as price_context,
    toDecimal64OrNull(meaning['reported_cost'], 12) as reported_cost_usd,
    sightline_duration(meaning['first_chunk_s']) * 1000 as first_chunk_ms,
    sightline_duration(meaning['first_token_s']) * 1000 as first_token_ms,
    sightline_duration(meaning['tokens_per_second']) as tokens_per_second,
    meaning['input'] as input, input_key, output, output_key,
    mapFilter((key, text) -> key != input_key and key != output_key, attributes) as attributes,
    attribute_types, resource_attributes, resource_types, scope_attributes, events, links,
    dropped_attributes, dropped_events, dropped_links,
    arrayFilter(
        (note, holds) -> ifNull(holds, 0),
        [
            'trace_id_length', 'span_id_length', 'ended_before_start', 'start_out_of_range',
            'status_out_of_range', 'kind_out_of_range', 'cache_added_to_input',
            'reasoning_added_to_output', 'operation_unknown', 'thinned'],
        [
            length(trace_id) != 32, length(span_id) != 16, end_ns < start_ns,
            toUnixTimestamp64Nano(started_at) != start_ns, status_code not between 0 and 2,
            kind_given not between 0 and 5, cache_outside, reasoning_outside,
            operation_known = 'other', meaning['thinned'] = 'true']) as notes
from (
    select
        *,
        -- A model and its tokens make a call, whatever the operation is called: it is never free in silence.
        -- An agent's own tokens are the sum of its calls'; so are those of a call around other calls.
        -- A call that a budget forbade was never made.
        multiIf(
            meaning['budget'] = 'deny', 'guardrail',
            meaning['aggregated'] = 'true'
                and (operation_known in ('', 'other') or sightline_model_call(operation_known)), 'chain',
            operation_known not in ('', 'other'), operation_known,
            request_model = '' and response_model = '' or isNull(input_given), operation_known,
            meaning['agent'] != '', 'agent',
            'llm') as operation,
        ifNull(cache_read_tokens, 0) + ifNull(cache_write_tokens, 0) as cached,
        cached > 0 and (cached > input_given or total_given = input_given + output_given + cached)
            as cache_outside,
        reasoning_tokens > output_given
            or reasoning_tokens > 0 and total_given = input_given + output_given + reasoning_tokens
            as reasoning_outside
    from (
        select
            *, kind as kind_given,
            meaning['operation'] as operation_given, meaning['output'] as output,
            if(operation_given = '', '',
                dictGet('{database}.operations', 'operation', lower(operation_given))) as operation_known,
            meaning['request_model'] as request_model, meaning['response_model'] as response_model,
            arrayStringConcat(arrayDistinct(sightline_list(meaning['finish'])), ',') as finish_reason,
            sightline_count(meaning['input_tokens']) as input_given,
            sightline_count(meaning['output_tokens']) as output_given,
            sightline_count(meaning['total_tokens']) as total_given,
            sightline_count(meaning['cache_read']) as cache_read_tokens,
            sightline_count(meaning['cache_write']) as cache_write_tokens,
            sightline_count(meaning['reasoning']) as reasoning_tokens
        from recognised_spans))
