-- Where a trace's time goes, by stage
select
    feature, traces, round(total_ms, 1) as total_ms, round(retrieval_ms, 1) as retrieval_ms,
    round(model_inference_ms, 1) as model_inference_ms, round(tool_execution_ms, 1) as tool_execution_ms,
    bottleneck
from latency_breakdown_by_feature
