-- Grain: one span none of whose texts is missing: arrays and maps are JSON, bytes what they spell or base64.
-- Reads: parted_spans. Readers: spelled_spans.
select * replace (
    sightline_filled_texts(other_texts, other_values) as other_texts,
    sightline_filled_texts(around_texts, around_values) as around_texts)
from parted_spans
