-- Grain: one data point, beside the attributes of its resource and scope. Keeps nothing.
-- `shared` holds both, `of_resource` says how many come from the resource; `kind` is metrics_v1's.
-- Reads: unfold_otlp_metrics. Readers: spell_otlp_metrics.
create table otlp_metric_points (
    {type:metric_frame}, shared {type:attributes}, of_resource UInt64, point {type:metric_point})
engine = Null
