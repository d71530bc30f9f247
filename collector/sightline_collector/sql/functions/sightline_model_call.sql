-- True for the operations that a provider bills: their usage and cost count. An agent's or a workflow's
-- usage is a sum of these, so it is never added to them.
-- Reads: nothing. Readers: views.
create or replace function sightline_model_call as (operation) ->
    operation in ('llm', 'embedding', 'rerank')
