-- What changed, on the first day of it
select slice, column_name, min(window_start) as first_day,
    argMin(drift_value, window_start) as drift_value,
    argMin(top_contributor, window_start) as top_contributor
from drift_alerts where drift_type = 'BASELINE' and status = 'ALERT' and explained_by = ''
group by slice, column_name having count() > 1 order by first_day, slice, column_name
