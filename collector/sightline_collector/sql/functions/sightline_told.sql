-- What an event tells, as the elements of a list of messages: JSON as it was sent, with the role that speaks
-- where it names none; '' for nothing. A text that is no JSON is the content of a message.
-- Reads: nothing. Readers: conversed_spans, told_texts.
create or replace function sightline_told as (text, role) -> multiIf(
    text in ('', '{}', '[]'), '',
    not match(left(text, 32), '^\\s*[\\[{"]') or not isValidJSON(text),
    concat('{"role":"', role, '","content":', sightline_json_text(text), '}'),
    JSONHas(text, 'role'), text,
    JSONHas(text, 1, 'role') and startsWith(trimLeft(text), '['),
    arrayStringConcat(JSONExtractArrayRaw(text), ','),
    startsWith(trimLeft(text), '{'), concat('{"role":"', role, '",', substring(trimLeft(text), 2)),
    concat('{"role":"', role, '","content":', text, '}'))
