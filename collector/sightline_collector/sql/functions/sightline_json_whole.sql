-- JSON that the engine can read of what JavaScript and Python write as JSON: halves of characters that were
-- cut (\ud83d without its other half) are left out, and numbers that are none are null. What can be read
-- stays as it is, and so does what is no JSON.
-- Reads: nothing. Readers: recognised_spans, sightline_answer_id, sightline_messages.
create or replace function sightline_json_whole as (text) -> if(
    not multiSearchAny(text, ['\\ud', '\\uD', 'NaN', 'Infinity']) or isValidJSON(text), text,
    arrayMap(
        json -> if(isValidJSON(json), json, text),
        [replaceRegexpAll(
            replaceRegexpAll(
                text,
                concat(
                    '(\\\\\\\\|\\\\u[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2})',
                    '|\\\\u[dD][89a-fA-F][0-9a-fA-F]{2}'),
                '\\1'),
            '([:\\[,]\\s*)(?:NaN|-?Infinity)\\b', '\\1null')])[1])
