-- What changed, on the first day of it
select
    slice, column_name as signal, toDate(min(window_start)) as first_day,
    round(argMin(drift_value, window_start), 2) as drift_value,
    round(argMin(threshold_value, window_start), 2) as threshold_value,
    argMin(top_contributor, window_start) as what_changed
from drift_alerts
where drift_type = 'BASELINE' and status = 'ALERT' and explained_by = ''
group by slice, column_name
order by first_day, slice, signal
