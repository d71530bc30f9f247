-- What attributes of JSON hold, as `key.member`, text and place: as deep as the dialects say, four levels
-- at most, and no more than there are braces, of which \u007b is one. Takes keys, texts and places. What is
-- no object is the member ''. Reads: dialects, sightline_place, sightline_document, sightline_json_whole, sightline_answer_usage.
-- Readers: recognised_spans.
create or replace function sightline_unfolded as (attributes) -> arrayFold(
    (found, level) -> arrayConcat(
        arrayFilter(member -> bitAnd(member.3, 16384) = 0, found),
        arrayFilter(member -> member.3 < 8388608, arrayFlatten(arrayMap(
            (key, members) -> arrayMap(
                (name, text) -> (name, text, sightline_place(name)),
                arrayMap(name -> concat(key, '.', name), mapKeys(members)), mapValues(members)),
            arrayMap(whole -> whole.1, arrayFilter(whole -> bitAnd(whole.3, 16384) != 0, found)),
            arrayMap(
                document -> if(
                    startsWith(document, '{'), JSONExtract(document, 'Map(String, String)'),
                    map('', document)),
                arrayMap(
                    whole -> if(dictGet('{database}.dialects', 'shape', cityHash64(whole.1)) = 'answer',
                        sightline_answer_usage(whole.2), sightline_document(whole.2)),
                    arrayFilter(whole -> bitAnd(whole.3, 16384) != 0, found))))))),
    range(least(4, 1 + arraySum(
        each -> countSubstrings(each.2, '{') + 4 * (position(each.2, 'u007') > 0), attributes))),
    arrayMap(each -> (each.1, sightline_json_whole(each.2), each.3), attributes))
