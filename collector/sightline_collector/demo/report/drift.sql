-- Whose answers changed: each UTC day against the seven before, for every model and signal
select
    substring(slice, 7) as model, column_name as signal, countIf(status in ('OK', 'ALERT')) as days_judged,
    countIf(status = 'ALERT') as days_drifted,
    minIf(toDate(window_start), status = 'ALERT') as first_day,
    round(argMinIf(drift_value, window_start, status = 'ALERT'), 2) as drift_value,
    round(argMinIf(threshold_value, window_start, status = 'ALERT'), 2) as threshold_value,
    argMinIf(top_contributor, window_start, status = 'ALERT') as what_changed
from drift_alerts
where drift_type = 'BASELINE' and startsWith(slice, 'model=') and explained_by = ''
group by slice, column_name
order by days_drifted desc, days_judged desc, slice, column_name
