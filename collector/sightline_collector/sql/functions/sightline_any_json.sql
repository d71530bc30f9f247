-- An AnyValue's protobuf bytes as JSON text, nested to any depth. Bytes become {"$bytes":"base64"}; an
-- absent value is null. What is no AnyValue yields text that isValidJSON refuses.
-- Reads: nothing. Readers: sightline_nested_text.
--
-- A fold walks the bytes once, one field a step. Its state: position, text so far, and the stack of open
-- containers, each as end * 8 + kind (1 AnyValue, 2 ArrayValue, 3 KeyValueList, 4 KeyValue) above a bottom
-- of kind 0 that never ends. A step's case is kind * 64 + tag:
--     74 string  80 bool  88 int  97 double  106 array  114 map  122 bytes   in an AnyValue
--     138 element of an array    202 entry of a map    266 key, 274 value of an entry
-- Commas, missing values and missing keys depend on what comes next, so the walk leaves marks, which JSON
-- strings cannot contain, and sightline_json_marks settles them:
--     1 an element or entry starts   2 a value belongs here   3 a key belongs here   4 a key is here
-- Steps are bounded by the count of bytes that may be a tag, and by 512; values over 64 KB are not walked:
-- what is not unfolded then stays as its bytes, for a step costs the value's length. There are none for the
-- most frequent value, an array of one short string (finish reasons), whose text is in the initial state.
-- Each insert plans this anew, and every lambda around an expression costs a fifth of its planning: hence
-- two for names, and what is short is written twice.
create or replace function sightline_any_json as (v) -> sightline_json_marks(arrayFold((a, i) -> arrayMap(
    (depth, head) -> arrayMap((top, step, low, body) -> (
            toUInt32(multiIf(
                step in (106, 114, 138, 202, 274), body, intDiv(step, 64) = 1, intDiv(top, 8), body + low)),
            concat(
                a.2,
                arrayStringConcat(arrayMap(
                    c -> transform(bitAnd(c, 7), [2, 3], [']', '}'], ''),
                    arrayReverse(arraySlice(a.3, depth + 1)))),
                transform(
                    step,
                    [0, 74, 80, 88, 97, 106, 114, 122, 138, 202, 266, 274],
                    ['', '', '', '', '', '[', '{', '{"$bytes":"', '\x01\x02', '\x01\x03', '\x04', ''],
                    '!'),
                multiIf(
                    step in (74, 266), toJSONString(substring(v, body, low)),
                    step = 88, toString(sightline_any_int(low, substring(v, a.1 + 9, if(
                        bitAnd(head, 0x8080808080808080) = 0x8080808080808080, 2, 0)))),
                    step = 97, sightline_double_text(reinterpretAsFloat64(head)),
                    step = 80, if(low = 0, 'false', 'true'),
                    step = 122, concat(base64Encode(substring(v, body, low)), '"}'),
                    ''),
                if(step = 266, ':\x02', '')),
            arrayConcat(arraySlice(a.3, 1, depth), if(
                step in (106, 114, 138, 202, 274),
                [toUInt64((body + low) * 8 + transform(step, [106, 114, 138, 202], [2, 3, 1, 4], 1))], []))),
        [a.3[depth]],
        [bitAnd(a.3[depth], 7) * 64 + ascii(substring(v, a.1, 1))],
        [sightline_varint(bitAnd(head, sightline_varint_mask(head)))],
        [a.1 + 1 + intDiv(bitCount(sightline_varint_mask(head)), 8)])[1],
    [arrayCount(c -> c >= (a.1 + 1) * 8, a.3)],
    [reinterpretAsUInt64(substring(v, a.1 + 1, 8))])[1],
    range(if(
        sightline_one_short(v) or length(v) > 65536, 0, least(512,
        2 + arraySum(tag -> countSubstrings(v, tag), ['\n', '\x10', '\x12', '\x18', '!', '*', '2', ':'])))),
    (
        toUInt32(1), if(sightline_one_short(v), concat('[', toJSONString(substring(v, 7)), ']'), ''),
        [1000000000000000, toUInt64((length(v) + 1) * 8 + 1)])).2)
