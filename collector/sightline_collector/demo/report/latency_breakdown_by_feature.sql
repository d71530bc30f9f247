-- Where a trace's time goes, by stage
select feature, traces, total_ms, model_inference_ms, retrieval_ms, unattributed_ms, bottleneck
from latency_breakdown_by_feature
