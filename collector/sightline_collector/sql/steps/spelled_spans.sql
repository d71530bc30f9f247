-- Grain: one span, the keys, texts and places of whose attributes are parallel. The texts are one list only
-- now that what is nested is unfolded: to fill it in here would copy all of them once more. So would adding
-- what the next steps make of several of them, or of events: it is kept apart until all are one list anyway,
-- with its places behind the others'. Reads: unfolded_spans. Readers: gathered_spans.
select
    * except (said_texts, whole_texts, other_texts, other_values, around_values),
    arrayConcat(said_texts, whole_texts, other_texts) as texts,
    emptyArrayString() as added_keys, emptyArrayString() as added_texts
from unfolded_spans
