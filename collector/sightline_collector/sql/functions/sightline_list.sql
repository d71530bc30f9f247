-- A list written as a JSON array, as Python prints one, or as plain words with commas between them.
-- Reads: nothing. Readers: mapped_spans, sightline_finish_reason.
create or replace function sightline_list as (text) -> multiIf(
    startsWith(text, '['),
        JSONExtract(if(position(text, '"') = 0, replaceAll(text, '\'', '"'), text), 'Array(String)'),
    text = '', [],
    arrayMap(word -> trim(both ' "' from word), splitByChar(',', text)))
