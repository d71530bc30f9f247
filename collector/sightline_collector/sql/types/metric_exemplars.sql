-- A data point's exemplars: single measurements, with the span in which each was taken.
Array(Tuple(
    at DateTime64(9, 'UTC'), trace_id String, span_id String,
    int_value Nullable(Int64), double_value Nullable(Float64),
    attributes {type:attribute_map}, attribute_types {type:attribute_types}))
