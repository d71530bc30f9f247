-- Grain: one correction of what a span adds to the totals, as it was written to the ledger; never changed
-- Units: USD, tokens as counts, signed: what the correction adds, or takes away; UTC. why is aggregate (its
--        usage is that of spans below it), twin (another span tells of the same call), redelivered (it came
--        twice), repeated (one request held it twice), replayed (a gateway gave an answer again), promoted
--        (nobody else tells of its usage), restored (an earlier correction did not hold), sampled (it stands
--        for others), labelled (the call is moved to the feature, user, session, prompt or experiment that
--        another span of it names: one correction there, one here), completed (another span of the call knows
--        more of what its price depends on) or repriced; because says it in words
-- Reads: spans_v1
-- Readers: people; the web pages
create or replace view cost_corrections as
select
    c.received_at as settled_at, c.why as why, c.status_message as because, c.trace_id as trace_id,
    c.span_id as span_id, c.name as name, c.started_at as started_at, c.provider as provider, c.model as model,
    c.feature as feature, c.user_id as user_id, c.session_id as session_id, c.calls as calls,
    c.input_tokens as input_tokens, c.output_tokens as output_tokens,
    c.cost_usd as cost_usd, c.unpriced as unpriced_calls, c.project as project
from spans_v1 as c
where c.entry = 'correction'
