-- Grain: one reason for which calls of one model of one provider of one project have no price. Calls that
--        failed before they used a token have none and need none: spans shows them, as no_usage
-- Units: tokens as counts, NULL when no call reported any; UTC; next_step says what to do about it
-- Reads: spans_v1
-- Readers: people; the web pages; alert rules
create or replace view unpriced_calls as
select
    s.provider as provider, s.model as model, s.cost_status as reason, sum(s.unpriced) as calls,
    countIf(s.status = 'error') as errors,
    sum(s.input_tokens) as input_tokens, sum(s.output_tokens) as output_tokens,
    min(s.started_at) as first_seen_at, max(s.started_at) as last_seen_at,
    multiIf(
        reason = 'no_usage',
            'make the sender report token usage (with OpenAI streams: stream_options include_usage)',
        reason = 'unpriced_model' and provider = '',
            'set gen_ai.provider.name: the model alone does not say whose price holds',
        reason = 'unpriced_model',
            'no price list has it: look at sightline prices explain, import a newer list, or set an override',
        reason = 'bad_usage', 'look at the tokens of these spans: a part is larger than its whole',
        reason = 'too_large', 'look at the tokens of these spans: no call is that large',
        'look at these spans: they are model calls without a price') as next_step,
    s.project as project
from spans_v1 as s
where s.cost_status in ('no_usage', 'unpriced_model', 'bad_usage', 'too_large')
    and s.unpriced != 0
group by project, provider, model, reason
having calls > 0
order by calls desc, provider, model, reason
