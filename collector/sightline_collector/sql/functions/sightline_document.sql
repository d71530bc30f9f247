-- The JSON document that a text holds: out of the quotes of a string that was encoded once or twice more,
-- out of a list of objects the first, of Gemini's counts by modality {"AUDIO": 600, ...}, and of a Python
-- dict its JSON. Reads: nothing. Readers: sightline_unfolded.
create or replace function sightline_document as (text) -> arrayFold(
    (t, step) -> multiIf(
        startsWith(t, '"'), JSONExtractString(t),
        startsWith(t, '[{') and position(left(t, 100), '"modality"') > 0, concat('{', arrayStringConcat(
            arrayMap(
                part -> concat('"', JSONExtractString(part, 'modality'), '":', toString(
                    JSONExtractUInt(part, 'tokenCount') + JSONExtractUInt(part, 'token_count'))),
                JSONExtractArrayRaw(t)), ','), '}'),
        startsWith(t, '[{'), JSONExtractRaw(t, 1),
        startsWith(t, '{\''), replaceRegexpAll(
            replaceRegexpAll(replaceRegexpAll(t, '([{\\[:,] *)\'', '\\1"'), '\'( *[}\\]:,])', '"\\1'),
            ': (None|True|False)', ': null'),
        t),
    [1, 2, 3], text)
