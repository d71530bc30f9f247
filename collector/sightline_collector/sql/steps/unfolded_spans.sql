-- Grain: one span all of whose attributes are text: arrays and maps as JSON, bytes as what they
-- spell or base64.
-- Reads: spelled_spans. Readers: gathered_spans.
select * replace (
    sightline_filled_texts(texts, values) as texts,
    sightline_filled_texts(around_texts, around_values) as around_texts)
from spelled_spans
