-- For how many spans one stands, as text, by OpenTelemetry's tracestate: th is the rejected share of 2^56,
-- its trailing zeros left out; p, of earlier samplers, a power of two. Empty when it says neither. Reads:
-- nothing. Readers: mapped_spans.
create or replace function sightline_sampled as (trace_state) -> multiIf(
    match(trace_state, '(^|,) *ot=([^,]*;)?th:[0-9a-f]{1,14}([;, ]|$)'),
    toString(72057594037927936. / (72057594037927936. - reinterpretAsUInt64(reverse(unhex(rightPad(
        extract(trace_state, '(?:^|,) *ot=(?:[^,]*;)?th:([0-9a-f]+)'), 14, '0')))))),
    match(trace_state, '(^|,) *ot=([^,]*;)?p:[0-9]{1,2}([;, ]|$)'),
    toString(exp2(toUInt8OrZero(extract(trace_state, '(?:^|,) *ot=(?:[^,]*;)?p:([0-9]+)')))),
    '')
