-- OTLP's repeated Exemplar: single measurements, with the span in which each was taken.
Array(Tuple(
    time_unix_nano UInt64, as_double Nullable(Float64), span_id String, trace_id String,
    as_int Nullable(Int64), filtered_attributes {type:attributes}))
