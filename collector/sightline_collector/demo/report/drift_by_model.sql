-- Days on which answers differed from the week before, by signal; two make a drift
select
    substring(slice, 7) as model, -- without "model="
    countIf(column_name = 'output_tokens' and status in ('OK', 'ALERT')) as judged_days,
    countIf(column_name = 'output_tokens' and status = 'ALERT') as output_tokens,
    countIf(column_name = 'finish_reason' and status = 'ALERT') as finish_reason,
    countIf(column_name = 'refused' and status = 'ALERT') as refused,
    multiIf(
        judged_days = 0, 'insufficient_data',
        greatest(output_tokens, finish_reason, refused) > 1, 'drift',
        'ok') as verdict
from drift_alerts
where drift_type = 'BASELINE' and startsWith(slice, 'model=')
group by slice
order by output_tokens desc, judged_days desc, model
