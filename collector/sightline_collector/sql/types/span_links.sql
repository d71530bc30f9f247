-- A span's links to other spans.
Array(Tuple(
    trace_id String, span_id String, trace_state String, attributes {type:attribute_map},
    attribute_types {type:attribute_types}))
