-- Grain: one span all of whose attributes are text: arrays and maps as JSON, bytes too.
-- Reads: spelled_spans. Readers: raw_spans.
select * replace (
    arrayMap(
        (text, v) -> if(text = '' and ascii(v) in (42, 50, 58), sightline_nested_text(v), text),
        texts, values) as texts,
    arrayMap(
        (text, v) -> if(text = '' and ascii(v) in (42, 50, 58), sightline_nested_text(v), text),
        around_texts, around_values) as around_texts)
from spelled_spans
