-- What a data point that stands for many measurements says of them; a plain number leaves it empty.
-- `bounds` are the upper bounds of all `buckets` but the last. Exponential histograms have a `scale` instead:
-- bucket i of `positive` ends at 2 ^ (2 ^ -scale * (positive_offset + i)), i from 1.
Tuple(
    count Nullable(UInt64), sum Nullable(Float64), min Nullable(Float64), max Nullable(Float64),
    bounds Array(Float64), buckets Array(UInt64),
    scale Nullable(Int64), zero_count UInt64, zero_threshold Float64,
    positive Tuple(offset Int64, bucket_counts Array(UInt64)),
    negative Tuple(offset Int64, bucket_counts Array(UInt64)), quantiles {type:quantiles})
