-- The JSON document that a text holds: out of the quotes of a string that was encoded once or twice more,
-- out of a list of objects the first, of Gemini's counts by modality {"AUDIO": 600, ...}, and of a Python
-- dict its JSON, with the numbers of its Decimals and enums. Reads: nothing.
-- Readers: sightline_unfolded, sightline_cost_sum.
create or replace function sightline_document as (text) -> if(startsWith(text, '{"'), text, arrayFold(
    (t, step) -> multiIf(
        startsWith(t, '"'), trim(leading ' \t\r\n' from JSONExtractString(t)),
        match(left(t, 50), '^\\[\\s*\\{') and position(left(t, 100), '"modality"') > 0,
        concat('{', arrayStringConcat(
            arrayMap(
                part -> concat('"', JSONExtractString(part, 'modality'), '":', toString(
                    JSONExtractUInt(part, 'tokenCount') + JSONExtractUInt(part, 'token_count'))),
                JSONExtractArrayRaw(t)), ','), '}'),
        match(left(t, 50), '^\\[\\s*\\{'), JSONExtractRaw(t, 1),
        startsWith(t, '{\''), replaceRegexpAll(
            replaceRegexpAll(
                replaceRegexpAll(
                    replaceRegexpAll(
                        replaceRegexpAll(
                            replaceRegexpAll(t, '<[\\w.]+: ([^>]*)>|Decimal\\(\'([^\']*)\'\\)', '\\1\\2'),
                            '([{\\[:,] *)\'', '\\1"'),
                        '\'( *[}\\]:,])', '"\\1'),
                    '([\\[:,] *)None\\b', '\\1null'),
                '([\\[:,] *)True\\b', '\\1true'),
            '([\\[:,] *)False\\b', '\\1false'),
        t),
    [1, 2, 3], trim(leading ' \t\r\n' from text)))
