-- The protobuf bytes of an OTLP ArrayValue (top = 2) or KeyValueList (top = 3) as JSON text, nested to
-- any depth. Bytes become {"$bytes":"base64"}; an absent value is null. What is not such a message
-- yields text that isValidJSON refuses. Reads: nothing. Readers: decode_otlp_*.
--
-- A fold walks the message once, one field a step. Its state: position, JSON so far, and two stacks:
-- where each open container ends, and which it is (1 AnyValue, 2 ArrayValue, 3 KeyValueList,
-- 4 KeyValue). A step's case is container * 64 + tag byte:
--     74 string  80 bool  88 int  97 double  106 array  114 map  122 bytes   in an AnyValue
--     138 element of an array    202 entry of a map    266 key, 274 value of an entry
-- Steps are bounded by the count of bytes that may be a tag. Lengths have at most 28 bits.
create or replace function sightline_any_json as (s, top) -> arrayFold((a, i) ->
    arrayMap(depth -> arrayMap((json, step, varint, container_end) -> arrayMap((body, length_, push) ->
        (
            toUInt32(if(depth = 0, a.1, multiIf(
                push != 0, body, intDiv(step, 64) = 1, container_end, body + length_))),
            assumeNotNull(concat(json, multiIf(
                step = 74, toJSONString(substring(s, body, length_)),
                step = 266, concat(toJSONString(substring(s, body, length_)), ':'),
                step = 138, concat(if(right(json, 1) in ('[', '{'), '', ','), if(length_ = 0, 'null', '')),
                step = 202, concat(if(right(json, 1) in ('[', '{'), '', ','), if(length_ = 0, '"":null', '')),
                step = 274, concat(if(endsWith(json, ':'), '', '"":'), if(length_ = 0, 'null', '')),
                step = 88, toString(reinterpretAsInt64(arraySum(
                    x -> bitShiftLeft(
                        toUInt64(bitAnd(reinterpretAsUInt8(substring(s, a.1 + x, 1)), 127)), 7 * (x - 1)),
                    range(1, least(11, container_end - a.1))))),
                step = 97, sightline_double_text(reinterpretAsFloat64(varint)),
                step = 80, if(length_ = 0, 'false', 'true'),
                step = 106, if(length_ = 0, '[]', '['),
                step = 114, if(length_ = 0, '{}', '{'),
                step = 122, concat('{"$bytes":"', base64Encode(substring(s, body, length_)), '"}'),
                depth = 0, '',
                '!'))),
            if(push = 0, arraySlice(a.3, 1, depth),
                arrayPushBack(arraySlice(a.3, 1, depth), toUInt32(body + length_))),
            if(push = 0, arraySlice(a.4, 1, depth), arrayPushBack(arraySlice(a.4, 1, depth), push))
        ),
        [a.1 + multiIf(bitAnd(varint, 0x80) = 0, 2, bitAnd(varint, 0x8000) = 0, 3,
            bitAnd(varint, 0x800000) = 0, 4, 5)],
        [bitAnd(varint, 0x7f) + if(bitAnd(varint, 0x80) = 0, 0,
            bitShiftRight(bitAnd(varint, 0x7f00), 1) + if(bitAnd(varint, 0x8000) = 0, 0,
            bitShiftRight(bitAnd(varint, 0x7f0000), 2) + if(bitAnd(varint, 0x800000) = 0, 0,
            bitShiftRight(bitAnd(varint, 0x7f000000), 3))))],
        [if(bitAnd(varint, 0xff) = 0, toUInt8(0),
            transform(step, [106, 114, 138, 202, 274], [2, 3, 1, 4, 1]::Array(UInt8), toUInt8(0)))])[1],
        [if(depth = length(a.3), a.2, concat(a.2, if(endsWith(a.2, ':'), 'null', ''), arrayStringConcat(
            arrayMap(c -> multiIf(c = 2, ']', c = 3, '}', ''), arrayReverse(arraySlice(a.4, depth + 1))))))],
        [if(depth = 0, 0, toUInt16(a.4[depth]) * 64 + reinterpretAsUInt8(substring(s, a.1, 1)))],
        [reinterpretAsUInt64(substring(s, a.1 + 1, 8))],
        [a.3[depth]])[1],
    [toUInt32(arrayCount(x -> x > a.1, a.3))])[1],
    range(if(empty(s), 1, 2 + countSubstrings(s, '\n') + countSubstrings(s, '\x12')
        + countSubstrings(s, '\x10') + countSubstrings(s, '\x18') + countSubstrings(s, '!')
        + countSubstrings(s, '*') + countSubstrings(s, '2') + countSubstrings(s, ':'))),
    (toUInt32(1), if(top = 2, '[', '{'), [toUInt32(length(s) + 1)], [toUInt8(top)])).2
