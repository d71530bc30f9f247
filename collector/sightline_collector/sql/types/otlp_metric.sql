-- OTLP's Metric as the engine reads it.
Tuple(
    name String, description String, unit String,
    gauge Tuple(data_points {type:otlp_number_points}),
    sum Tuple(
        data_points {type:otlp_number_points}, aggregation_temporality Int64, is_monotonic UInt64),
    histogram Tuple(
        data_points Array(Tuple(
            start_time_unix_nano UInt64, time_unix_nano UInt64, count UInt64, sum Nullable(Float64),
            bucket_counts Array(UInt64), explicit_bounds Array(Float64), exemplars {type:otlp_exemplars},
            attributes {type:attributes}, flags UInt64, min Nullable(Float64), max Nullable(Float64))),
        aggregation_temporality Int64),
    exponential_histogram Tuple(
        data_points Array(Tuple(
            attributes {type:attributes}, start_time_unix_nano UInt64, time_unix_nano UInt64, count UInt64,
            sum Nullable(Float64), scale Int64, zero_count UInt64,
            positive Tuple(offset Int64, bucket_counts Array(UInt64)),
            negative Tuple(offset Int64, bucket_counts Array(UInt64)),
            flags UInt64, exemplars {type:otlp_exemplars}, min Nullable(Float64), max Nullable(Float64),
            zero_threshold Float64)),
        aggregation_temporality Int64),
    summary Tuple(
        data_points Array(Tuple(
            start_time_unix_nano UInt64, time_unix_nano UInt64, count UInt64, sum Nullable(Float64),
            quantile_values {type:quantiles}, attributes {type:attributes}, flags UInt64))))
