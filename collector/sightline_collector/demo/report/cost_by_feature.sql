-- What each feature cost
select
    feature, calls, round(cost_usd, 4) as cost_usd, input_tokens, cache_read_tokens, output_tokens,
    unpriced_calls
from cost_by_feature
