-- Grain: one span, the keys, texts and places of whose attributes are parallel. The texts are one list only
-- now that what is nested is unfolded: to fill it in here would copy all of them once more.
-- Reads: unfolded_spans. Readers: gathered_spans.
select
    * except (said_texts, whole_texts, other_texts, other_values, around_values),
    arrayConcat(said_texts, whole_texts, other_texts) as texts
from unfolded_spans
