-- What failed, and how sure that is: the rate with its 95 % interval
select
    operation, model, calls, errors, round(error_rate, 4) as rate, round(error_rate_low, 4) as low,
    round(error_rate_high, 4) as high, top_error_type
from error_rates
where errors > 0
