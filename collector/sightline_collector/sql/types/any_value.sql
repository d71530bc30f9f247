-- OTLP's AnyValue. Nullable members keep 0, '', false and absent apart; arrays and maps are their
-- own protobuf bytes.
Tuple(
    string_value Nullable(String), bool_value Nullable(UInt64), int_value Nullable(Int64),
    double_value Nullable(Float64), array_value Nullable(String), kvlist_value Nullable(String),
    bytes_value Nullable(String))
