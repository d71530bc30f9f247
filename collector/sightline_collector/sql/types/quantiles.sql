-- The quantiles of a summary data point.
Array(Tuple(quantile Float64, value Float64))
