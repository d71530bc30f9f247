-- What changed, on the first day of it
select
    replaceOne(slice, 'model=', '') as model, column_name as signal, toDate(min(window_start)) as first_day,
    round(argMin(drift_value, window_start), 2) as drift_value,
    round(argMin(threshold_value, window_start), 2) as threshold,
    replaceOne(argMin(top_contributor, window_start), ' tokens and more', '+ tokens') as what_changed
from drift_alerts
where drift_type = 'BASELINE' and status = 'ALERT' and explained_by = ''
group by slice, column_name
having count() > 1
order by first_day, model, signal
