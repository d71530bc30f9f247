-- How many searches of OpenAI's an answer of JSON shows that begin behind a pattern: pages that it opened
-- are none. In a text such words stand behind escaped quotes. Reads: nothing. Readers: mapped_spans.
create or replace function sightline_web_searches as (answer, before) -> countMatches(
    answer, concat(before, '"action": ?[{](?:[^{}"]|"(?:[^"\\\\]|\\\\.)*")*"type": ?"search"'))
