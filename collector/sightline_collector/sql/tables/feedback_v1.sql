-- Grain: one judgement of one answer: a thumb, score, label, comment or correction; what people did with it,
-- what came of it, or that an evaluator failed. Times in UTC. `score` is NULL when none was given; thumbs are
-- 1 and 0. Who judges without a trace names a response or a session; feedback finds the span. Private: people read feedback views, which say FINAL.
-- Reads: judge_feedback. Readers: feedback views.
--
-- Replacing, not append and argMax: a judgement that is sent again under its id (a user who thinks better of
-- it, a segment inserted again) replaces the former whatever the reader's query is, and the table stays as
-- small as there are judgements. The latest by `at` wins, not the latest to arrive: retries overtake.
-- Hence no partitions: rows of two partitions never replace each other.
create table if not exists feedback_v1 (
    {type:envelope},
    feedback_id String, at DateTime64(9, 'UTC'),
    trace_id String, span_id String, response_id String, session_id String, user_id String,
    service LowCardinality(String), feature LowCardinality(String),
    source LowCardinality(String), kind LowCardinality(String), name LowCardinality(String),
    score Nullable(Float64), label LowCardinality(String), comment String, correction String,
    error_type LowCardinality(String),
    index by_trace trace_id type bloom_filter(0.01) granularity 1,
    index by_batch batch type minmax granularity 4)
engine = ReplacingMergeTree(at)
order by (project, feedback_id)
settings
    non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1
