-- Grain: one span that came through otel_traces, understood and not yet priced. Keeps nothing: it cuts the way
-- in two, for planning a step costs the more the more steps are below it.
-- Reads: decode_otel_traces. Readers: price_otel_traces.
create table otel_spans ({type:span_facts}) engine = Null
