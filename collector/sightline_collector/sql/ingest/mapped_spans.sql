-- Grain: one span of any dialect, understood and not yet priced. Keeps nothing.
-- Reads: map_spans. Readers: price_spans.
create table mapped_spans ({type:span_facts}) engine = Null
