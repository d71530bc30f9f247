-- What a client returned tells of the bill, as one JSON object: the tier that answered, the usage as the
-- provider has it and, where that counts its cache beside its input, that input. Of LangChain's answers it
-- looks into the first message. Takes what sightline_tells_usage lets in. Only what is asked for is
-- extracted, for an answer may be long. Reads: nothing. Readers: sightline_members.
create or replace function sightline_answer_usage as (answer) -> arrayMap(
    (tier, usage) -> concat(
        '{"service_tier":', if(tier = '', 'null', tier), ',"usage":', if(usage = '', 'null', usage),
        if(position(usage, '"cache_read_input_tokens"') = 0, '',
            concat(',"input_beside_cache":', toString(JSONExtractUInt(usage, 'input_tokens')))),
        '}'),
    [JSONExtractRaw(
        if(position(answer, '"generations"') = 0, answer, concat(
            JSONExtractRaw(answer, 'generations', 1, 1, 'message', 'kwargs', 'response_metadata'),
            JSONExtractRaw(answer, 'generations', 1, 1, 'message', 'response_metadata'))) as told,
        'service_tier')],
    [JSONExtractRaw(told, 'usage')])[1]
