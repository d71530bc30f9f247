-- OTLP's repeated KeyValue.
Array(Tuple(key String, value {type:any_value}))
