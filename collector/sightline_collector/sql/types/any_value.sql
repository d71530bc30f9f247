-- OTLP's AnyValue as its own protobuf bytes: no columns could hold it, since it contains itself, and one
-- string is cheaper than a column for each of its kinds. sightline_any_* read it.
String
