-- OTLP's repeated NumberDataPoint: what gauges and sums hold.
Array(Tuple(
    start_time_unix_nano UInt64, time_unix_nano UInt64, as_double Nullable(Float64),
    exemplars {type:otlp_exemplars}, as_int Nullable(Int64), attributes {type:attributes}, flags UInt64))
