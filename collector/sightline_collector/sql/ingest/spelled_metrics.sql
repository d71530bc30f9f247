-- Grain: one data point whose attributes are text: keys, texts and types are parallel, and hold one after
-- the other its own, its resource's, its scope's, and its exemplars'. Keeps nothing.
-- Reads: spell_otlp_metrics. Readers: decode_otlp_metrics.
create table spelled_metrics (
    {type:metric_frame}, keys Array(String), texts Array(String), types Array(String),
    own UInt64, of_resource UInt64, of_scope UInt64, point {type:metric_point})
engine = Null
