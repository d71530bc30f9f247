"""The rules of OTLP 1.11, put to any endpoint: each is named, checked for real, and says what was seen."""
