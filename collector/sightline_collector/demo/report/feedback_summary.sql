-- What people thought of it: thumbs, with the 95 % interval of their share
select
    feature, model, prompt_version as prompt, up, down, round(satisfaction, 3) as satisfaction,
    round(satisfaction_low, 3) as low, round(satisfaction_high, 3) as high, corrections
from feedback_summary
order by feature, model, prompt
