-- The input and the output of a span that log records alone tell: each '' where the span has its own, where
-- none came, and of spans that hold no conversation; only for what is left is anything looked up.
-- Reads: told_texts. Readers: spans, trace_summary.
create or replace function sightline_told_texts as (project, trace_id, span_id, operation, input, output) ->
    -- Not behind an `if`, which would look up anew for each of its readers.
    arrayMap(
        told -> [
            if(input = '' and told[3] = project, told[1], ''),
            if(output = '' and told[3] = project, told[2], '')],
        [if(
            (input = '' or output = '') and operation in ('llm', 'agent', 'workflow', 'chain'),
            dictGet('{database}.told_texts', 'told', sipHash64(project, trace_id, span_id)),
            CAST([], 'Array(String)'))])[1]
