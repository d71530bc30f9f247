-- A list written as a JSON array, or as one plain word. Reads: nothing. Readers: mapped_spans.
create or replace function sightline_list as (text) -> multiIf(
    startsWith(text, '['), JSONExtract(text, 'Array(String)'), text = '', [], [text])
