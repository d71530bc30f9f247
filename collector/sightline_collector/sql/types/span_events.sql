-- A span's events.
Array(Tuple(
    at DateTime64(9, 'UTC'), name String, attributes {type:attribute_map},
    attribute_types {type:attribute_types}))
