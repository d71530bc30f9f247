-- Grain: one span all of whose attributes are text: arrays and maps as JSON, bytes as what they
-- spell or base64.
-- Reads: spelled_spans. Readers: gathered_spans.
select * replace (
    if(
        arrayExists(
            (text, v) -> text = '' and v != '', arraySlice(texts, length(texts) - length(other_values) + 1),
            other_values),
        arrayConcat(
            arraySlice(texts, 1, length(texts) - length(other_values)),
            sightline_filled_texts(
                arraySlice(texts, length(texts) - length(other_values) + 1), other_values)),
        texts) as texts,
    sightline_filled_texts(around_texts, around_values) as around_texts)
from spelled_spans
