-- How slow each model was: whole calls, and the first chunk of streamed ones
select
    model, calls, round(p50_ms, 1) as p50_ms, round(p95_ms, 1) as p95_ms, round(p99_ms, 1) as p99_ms,
    round(first_chunk_p50_ms, 1) as first_chunk_p50_ms, round(first_chunk_p95_ms, 1) as first_chunk_p95_ms
from latency_by_model
