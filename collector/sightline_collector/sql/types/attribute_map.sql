-- Attributes as text, under their own keys.
Map(LowCardinality(String), String)
