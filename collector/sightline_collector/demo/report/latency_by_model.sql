-- How slow each model was: whole calls, and the first chunk of streamed ones
select model, calls, p50_ms, p95_ms, p99_ms, first_chunk_p50_ms, first_chunk_p95_ms
from latency_by_model
