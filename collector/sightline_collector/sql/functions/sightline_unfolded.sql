-- What attributes of JSON hold, as pairs of `key.member` and text: as deep as the dialects say, four levels
-- at most. Takes pairs of key and text. Reads: dialects, sightline_document, sightline_json_whole,
-- sightline_answer_usage. Readers: recognised_spans.
create or replace function sightline_unfolded as (pairs) -> arrayFold(
    (found, level) -> arrayFlatten(arrayMap(
        pair -> if(bitAnd(dictGet('{database}.dialects', 'place', pair.1), 16384) = 0, [pair],
            arrayMap(
                document -> arrayFilter(
                    member -> dictHas('{database}.dialects', member.1),
                    if(startsWith(document, '{'),
                        CAST(mapApply(
                            (name, text) -> (concat(pair.1, '.', name), text),
                            JSONExtract(document, 'Map(String, String)')), 'Array(Tuple(String, String))'),
                        [(concat(pair.1, '.'), document)])),
                [if(dictGet('{database}.dialects', 'shape', pair.1) = 'answer',
                    sightline_answer_usage(pair.2), sightline_document(pair.2))])[1]),
        found)),
    [1, 2, 3, 4], arrayMap(pair -> (pair.1, sightline_json_whole(pair.2)), pairs))
