-- Grain: one budget in force. Units: USD per calendar window in UTC; thresholds in percent.
-- scope names what the budget is limited to, 'everything' when nothing; channels are the addresses that are
-- told, without what could be a secret: the scheme, and the host and port of those whose host is a machine.
-- Reads: budgets_v1. Readers: budget_windows, people.
create or replace view budget_limits as
with
    newest as (
        select *
        from budgets_v1
        order by set_at desc
        limit 1 by id),
    named as (
        select
            *,
            arrayFilter(
                part -> not endsWith(part, '='),
                [
                    concat('project=', project), concat('service=', service), concat('feature=', feature),
                    concat('model=', model), concat('user=', user_id)
                ]) as parts
        from newest
        where removed = 0)
select
    id as budget,
    if(empty(parts), 'everything', arrayStringConcat(parts, ', ')) as scope,
    per,
    limit_usd,
    thresholds,
    arrayMap(
        address -> concat(
            extract(address, '^[a-zA-Z0-9+]{1,20}'), '://',
            extract(
                address,
                concat(
                    '^(?:http|json|form|xml|mailto)s?://(?:[^/?#]*@)?',
                    '((?:[^/?#@:\\[\\]]+|\\[[0-9a-fA-F:.]+\\])(?::[0-9]+)?)(?:[/?#]|$)')) as machine,
            if(machine = '', '', '/'), '***'),
        notify) as channels,
    project,
    service,
    feature,
    model,
    user_id,
    set_at
from named
