-- What each feature cost
select feature, calls, round(cost_usd, 4) as cost_usd, round(cost_usd / nullIf(calls - unpriced_calls, 0), 6) as cost_per_call_usd, input_tokens, output_tokens, unpriced_calls
from cost_by_feature
