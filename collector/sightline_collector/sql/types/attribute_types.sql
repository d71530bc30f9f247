-- The types of those attributes that are not strings: int, double, bool, bytes, array, map, empty.
Map(LowCardinality(String), LowCardinality(String))
