-- What JSON holds, as `key.member`, text and place: those that the dialects know. Takes keys, texts and
-- places; what is no object is the member ''. Reads: dialects, sightline_place, sightline_document,
-- sightline_answer_usage. Readers: recognised_spans, sightline_unfolded.
create or replace function sightline_members as (wholes) -> arrayFilter(
    member -> member.3 < 8388608,
    arrayFlatten(arrayMap(
        (key, document) -> arrayMap(
            (name, text) -> (name, text, sightline_place(name)),
            arrayMap(name -> concat(key, '.', name), mapKeys(document)), mapValues(document)),
        arrayMap(whole -> whole.1, wholes),
        arrayMap(
            text -> if(startsWith(text, '{'), JSONExtract(text, 'Map(String, String)'), map('', text)),
            arrayMap(
                whole -> if(
                    dictGet('{database}.dialects', 'shape', cityHash64(whole.1)) = 'answer',
                    sightline_answer_usage(whole.2), sightline_document(whole.2)),
                wholes)))))
