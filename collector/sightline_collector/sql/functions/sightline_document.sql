-- The JSON document that a text holds: out of the quotes of a string that was encoded once or twice more,
-- out of a list of objects the first, and of a Python dict its JSON. Reads: nothing. Readers:
-- sightline_unfolded.
create or replace function sightline_document as (text) -> arrayFold(
    (t, step) -> multiIf(
        startsWith(t, '"'), JSONExtractString(t),
        startsWith(t, '[{'), JSONExtractRaw(t, 1),
        startsWith(t, '{\''), replaceRegexpAll(replaceAll(t, '\'', '"'), ': (None|True|False)', ': null'),
        t),
    [1, 2, 3], text)
