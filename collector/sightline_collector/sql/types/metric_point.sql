-- A data point of any kind of metric, as OTLP has it.
Tuple(
    attributes {type:attributes}, start_ns UInt64, at_ns UInt64, flags UInt64,
    int_value Nullable(Int64), double_value Nullable(Float64), distribution {type:metric_distribution},
    exemplars {type:otlp_exemplars})
