-- Grain: one span that came through otel_traces, with its price. Reads: otel_spans. Readers: spans_v1.
create materialized view price_otel_traces to spans_v1 (
    {type:span_facts},
    {type:span_price},
    own_cost_usd Nullable(Decimal(18, 12))) as
with mapped_spans as (select * from otel_spans),
{steps:priced_spans}
select * from priced_spans
