-- The messages in the JSON that holds them, each as its sender wrote it: a list's elements, of lists the
-- first's, and of texts that are JSON what they say; elements of which none is a message are the parts of
-- one. 1,000 at most.
-- Reads: nothing. Readers: sightline_messages.
create or replace function sightline_message_list as (source) -> multiIf(
    startsWith(source, '{'), [source],
    not startsWith(source, '['), [concat('{"content":', source, '}')],
    source = '[]', [],
    startsWith(source, '["{')
        and hasAny(JSONExtractKeys(JSONExtractString(source, 1)), ['role', 'message', 'kwargs', 'parts']),
    arrayFilter(
        each -> startsWith(each, '{') and isValidJSON(each),
        arraySlice(JSONExtract(source, 'Array(String)'), 1, 1000)),
    startsWith(source, '[[{'), arraySlice(JSONExtractArrayRaw(JSONExtractRaw(source, 1)), 1, 1000),
    arrayExists(
        each -> hasAny(JSONExtractKeys(each), ['role', 'message', 'kwargs', 'finishReason'])
            or JSONHas(each, 'content', 'parts')
            or JSONExtractString(each, 'type') in ('human', 'ai', 'system', 'tool', 'message'),
        arraySlice(JSONExtractArrayRaw(source), 1, 1000)),
    arraySlice(JSONExtractArrayRaw(source), 1, 1000),
    [concat('{"parts":', source, '}')])
