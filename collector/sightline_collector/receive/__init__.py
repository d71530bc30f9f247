"""The doors: OTLP over HTTP and gRPC comes in here, is checked, and goes to the log."""
