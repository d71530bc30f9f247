-- What failed, and how sure that is: the rate with its 95 % interval
select operation, model, calls, errors, 100 * error_rate as error_rate_pct,
    100 * error_rate_low as low_pct, 100 * error_rate_high as high_pct, top_error_type
from error_rates where errors > 0
