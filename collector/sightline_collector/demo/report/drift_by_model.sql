-- Days on which answers were longer or shorter than in the week before; two make a drift
select slice, countIf(status = 'ALERT') as alert_days, countIf(status = 'OK') as ok_days,
    countIf(status = 'INSUFFICIENT_DATA') as insufficient_data_days
from drift_alerts where drift_type = 'BASELINE' and column_name = 'output_tokens'
    and slice like 'model=%' group by slice order by alert_days desc, slice
