-- The JSON document that a text holds: out of the quotes of a string that was encoded once or twice more, out
-- of a list of objects the first, of Gemini's counts by modality {"AUDIO": 600, ...}, and of a Python dict
-- its JSON, with the numbers of its Decimals and enums. Most are JSON already, a word in quotes, a dict of
-- counts, or no document. Reads: nothing. Readers: sightline_members, sightline_cost_sum.
create or replace function sightline_document as (text) -> multiIf(
    startsWith(text, '{"') or ascii(text) not in (9, 10, 13, 32, 34, 39, 91, 123), text,
    ascii(text) = 34 and position(text, '"', 2) = length(text) and position(text, '\\') = 0
        and ascii(substring(text, 2, 1)) not in (9, 10, 13, 32, 39, 91, 123) and isValidJSON(text),
    substring(text, 2, length(text) - 2),
    startsWith(text, '{\'') and not multiSearchAny(text, ['"', '\\', '(', '<', 'None', 'True', 'False'])
        and isValidJSON(replaceAll(text, '\'', '"')),
    replaceAll(text, '\'', '"'),
    arrayFold((t, step) -> multiIf(
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
