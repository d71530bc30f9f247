-- Grain: one model of one operation of one service of one project ('' where a span has none)
-- Units: error_rate is a fraction from 0 to 1, with its Wilson 95 % interval; top_error_type is the most
--        frequent error.type of the failed spans, '' when none failed or none says. A class is named without
--        its module: some senders say openai.RateLimitError and some RateLimitError (spans keeps either).
--        calls reckons in by their weight the spans that sampling left out; failed ones never are
-- Reads: spans_v1
-- Served by: latency_daily
-- Readers: people; the web pages; alert rules
create or replace view error_rates as
with counted as (
    select
        project, service, operation, model, toUInt64(round(sum(weight))) as calls,
        countIf(status = 'error') as errors
    from spans_v1
    group by project, service, operation, model
    having calls > 0
),
types as (
    select
        project, service, operation, model, count() as errors,
        if(match(error_type, '^([A-Za-z_]\\w*\\.)+[A-Z]\\w*$'), extract(error_type, '\\w+$'), error_type)
            as class
    from spans_v1
    where status = 'error' and error_type != ''
    group by project, service, operation, model, class
),
most as (
    select project, service, operation, model, argMax(class, (errors, class)) as top_error_type
    from types
    group by project, service, operation, model
)
select
    service, operation, model, calls, errors, errors / calls as error_rate,
    sightline_wilson_low(errors, calls) as error_rate_low,
    sightline_wilson_high(errors, calls) as error_rate_high,
    -- NULL instead when the reader's joins say NULL for nothing.
    ifNull(most.top_error_type, '') as top_error_type, project
from counted
left join most using (project, service, operation, model)
order by errors desc, calls desc, service, operation, model
