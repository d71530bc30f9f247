-- What people thought of it: the share of thumbs up, with its 95 % interval
select feature, model, prompt_version, up, down, 100 * satisfaction as up_pct,
    100 * satisfaction_low as low_pct, 100 * satisfaction_high as high_pct, corrections
from feedback_summary order by feature, model, prompt_version
